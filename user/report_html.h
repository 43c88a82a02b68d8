/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The writers of a report's formats. */
#ifndef RECONMON_REPORT_HTML_H
#define RECONMON_REPORT_HTML_H

#include <stdio.h>

#include "report_model.h"
#include "services.h"

/* report_html_file - one page that needs nothing else: no network, no script to be complete. The
 * script it holds adds hovering and a filter. `nonce` (letters and digits) is what the page's
 * policy lets style and script by; a different one each time, or text of others could bear it.
 * report_md_file, report_json_file - the same as Markdown, and all of it as JSON. Return 0, or -EIO
 * with errno, or -ENOMEM. */
int report_html_file(FILE *out, const struct report *m, const struct services *services,
		     const char *nonce);
int report_md_file(FILE *out, const struct report *m, const struct services *services);
int report_json_file(FILE *out, const struct report *m, const struct services *services);

#endif
