// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

static const char *const level_names[] = { "ok", "note", "problem" };

/* plain - names of interfaces and programs may hold any byte; a terminal and JSON take no control
 * characters and no broken UTF-8. */
static void plain(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

json_t *doctor_find(struct doctor *d, enum finding_level level, enum exit_code code,
		    const char *topic, const char *remedy, const char *fmt, ...)
{
	json_t *facts = json_object(), *finding;
	char text[768], name[32];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	plain(text);
	snprintf(name, sizeof(name), "%s", topic);
	plain(name);
	if (level == FINDING_PROBLEM && !d->code)
		d->code = (int)code;
	finding = json_pack("{s:s, s:s, s:s, s:s*, s:O}", "topic", name, "level",
			    level_names[level], "text", text, "remedy", remedy, "facts", facts);
	if (json_array_append_new(d->findings, finding) < 0)
		d->no_json = true;
	json_decref(facts); /* the finding holds it, or it is gone */
	return finding ? facts : NULL;
}

bool doctor_kernel_has(unsigned int major, unsigned int minor)
{
	struct utsname u;
	unsigned int a = 0, b = 0;

	if (uname(&u) < 0 || sscanf(u.release, "%u.%u", &a, &b) != 2)
		return false;
	return a > major || (a == major && b >= minor);
}

static const char *field(const json_t *finding, const char *name)
{
	const char *s = json_string_value(json_object_get(finding, name));

	return s ? s : "";
}

static void print_text(const struct doctor *d, FILE *out)
{
	size_t i;
	json_t *f;

	json_array_foreach (d->findings, i, f) {
		const char *remedy = field(f, "remedy");

		fprintf(out, "%-8s %-14s %s\n", field(f, "level"), field(f, "topic"),
			field(f, "text"));
		if (*remedy)
			fprintf(out, "%-8s %-14s   -> %s\n", "", "", remedy);
	}
}

/* print_json - one document, the findings in the order of the text. */
static int print_json(const struct doctor *d, FILE *out)
{
	json_t *doc = json_pack("{s:s, s:b, s:i, s:O}", "version", RECONMON_VERSION, "works",
				!d->code, "exit_code", d->code, "findings", d->findings);
	int r = doc ? json_dumpf(doc, out, JSON_INDENT(2)) : -1;

	json_decref(doc);
	fputc('\n', out);
	return r;
}

int doctor_run(const struct config *cfg, struct error *err)
{
	struct doctor d = { .cfg = cfg, .findings = json_array() };

	if (d.findings) {
		doctor_host(&d);
		doctor_ifaces(&d);
	}
	if (!d.findings || d.no_json) {
		json_decref(d.findings);
		error_set(err, -ENOMEM, EXIT_RUNTIME, "doctor: out of memory");
		return EXIT_RUNTIME;
	}
	if (!cfg->json)
		print_text(&d, stdout);
	else if (print_json(&d, stdout) < 0)
		clearerr(stdout);
	json_decref(d.findings);
	if (fflush(stdout) || ferror(stdout)) {
		error_set(err, -errno, EXIT_RUNTIME, "standard output: %m");
		return EXIT_RUNTIME;
	}
	if (d.code)
		error_set(err, -EPERM, (enum exit_code)d.code,
			  "reconmon would not work here: see what is called a problem above");
	return d.code;
}
