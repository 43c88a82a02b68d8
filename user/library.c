// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "library.h"

#include <dlfcn.h>
#include <errno.h>

/* open_any - what is said is why the first name failed: the one of the package in `remedy`. */
static void *open_any(const struct library *l, struct error *err)
{
	for (size_t i = 0; i < LIBRARY_FILES_MAX && l->file[i]; i++) {
		void *handle = dlopen(l->file[i], RTLD_NOW | RTLD_LOCAL);

		if (handle)
			return handle;
		if (!i)
			error_set(err, -ENOENT, EXIT_RUNTIME,
				  "%s is needed %s and cannot be loaded: %.200s (%s)", l->name,
				  l->use, dlerror(), l->remedy);
	}
	return NULL;
}

int library_load(struct library *l, struct error *err)
{
	void *handle;

	if (l->handle)
		return 0;
	handle = open_any(l, err);
	if (!handle)
		return -ENOENT;
	for (size_t i = 0; i < l->n_symbols; i++) {
		*l->symbol[i].to = dlsym(handle, l->symbol[i].name);
		if (*l->symbol[i].to)
			continue;
		dlclose(handle);
		return error_set(err, -ENOENT, EXIT_RUNTIME, "%s lacks %s", l->name,
				 l->symbol[i].name);
	}
	l->handle = handle;
	return 0;
}
