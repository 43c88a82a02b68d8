/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the daemon counts, in Prometheus' text format (version 0.0.4). Every set of label values is
 * bounded by the configuration or the build; no address, port, process or pod is ever a label. */
#ifndef RECONMON_METRICS_TEXT_H
#define RECONMON_METRICS_TEXT_H

#include <jansson.h>
#include <stdio.h>

/* metrics_write - all metrics made of status_figures(). Errors are the stream's. */
void metrics_write(FILE *out, const json_t *figures);

/* metrics_write_process - those that every exporter has of its process (process_*), as of now. */
void metrics_write_process(FILE *out);

#endif
