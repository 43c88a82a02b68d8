// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// chart FOLDER [VALUES-FILE] - renders a chart's templates as helm would: Go's text/template with
// sprig's functions, include, toYaml and required, over values.yaml and the file that goes over it.
// It is a stand-in for helm, which Debian does not have: no dependencies, no hooks, no lookups.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

func read(path string) map[string]interface{} {
	text, err := os.ReadFile(path)
	check(err)
	ret := map[string]interface{}{}
	check(yaml.Unmarshal(text, &ret))
	return ret
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// merge puts over upon base as helm does: maps key by key, anything else whole, null removes.
func merge(base, over map[string]interface{}) {
	for key, value := range over {
		inner, both := value.(map[string]interface{})
		if old, ok := base[key].(map[string]interface{}); ok && both {
			merge(old, inner)
		} else if value == nil {
			delete(base, key)
		} else {
			base[key] = value
		}
	}
}

func main() {
	chart := read(filepath.Join(os.Args[1], "Chart.yaml"))
	values := read(filepath.Join(os.Args[1], "values.yaml"))
	if len(os.Args) > 2 {
		merge(values, read(os.Args[2]))
	}
	// In templates the fields of Chart.yaml begin with a capital.
	titled := map[string]interface{}{}
	for key, value := range chart {
		titled[strings.ToUpper(key[:1])+key[1:]] = value
	}
	data := map[string]interface{}{
		"Chart":   titled,
		"Values":  values,
		"Release": map[string]interface{}{"Name": "reconmon", "Namespace": "reconmon", "Service": "Helm"},
	}

	all := template.New("chart").Option("missingkey=zero")
	funcs := sprig.TxtFuncMap()
	funcs["include"] = func(name string, data interface{}) (string, error) {
		var out bytes.Buffer
		err := all.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	funcs["toYaml"] = func(v interface{}) (string, error) {
		out, err := yaml.Marshal(v)
		return strings.TrimSuffix(string(out), "\n"), err
	}
	funcs["required"] = func(why string, v interface{}) (interface{}, error) {
		if v == nil || v == "" {
			return nil, errors.New(why)
		}
		return v, nil
	}
	all.Funcs(funcs)
	files, err := filepath.Glob(filepath.Join(os.Args[1], "templates", "*"))
	check(err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		check(err)
		_, err = all.New(filepath.Base(f)).Parse(string(text))
		check(err)
	}
	for _, f := range files {
		name := filepath.Base(f)
		if strings.HasPrefix(name, "_") {
			continue
		}
		var out bytes.Buffer
		check(all.ExecuteTemplate(&out, name, data))
		if strings.HasSuffix(name, ".yaml") {
			fmt.Printf("---\n# Source: %s\n%s\n", name, out.String())
		} else if strings.Contains(out.String(), "<no value>") {
			check(fmt.Errorf("%s: <no value>", name))
		}
	}
}
