// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "status_command.h"

#include <errno.h>
#include <string.h>

#include "control_client.h"
#include "sink_json.h"
#include "status.h"

enum {
	PATIENCE_MS = 10000 /* a daemon answers at once; one that does not is stuck */
};

static int ask(const struct config *cfg, json_t **ret, struct error *err)
{
	struct control_client *c = NULL;
	int r = control_client_open(cfg, &c, err);

	if (!r)
		r = control_client_ask(c, "{\"get\":\"status\"}", err);
	if (!r)
		r = control_client_read(c, PATIENCE_MS, ret, err);
	if (!r)
		r = error_set(err, -ETIMEDOUT, EXIT_RUNTIME,
			      "the daemon does not answer within %d s; it may be stopped or stuck",
			      PATIENCE_MS / 1000);
	control_client_close(c);
	return r < 0 ? r : 0;
}

int status_run(const struct config *cfg, struct error *err)
{
	json_t *status = NULL;
	int r = ask(cfg, &status, err);

	if (r < 0)
		return err->exit_code;
	if (cfg->json) {
		r = sink_json_line(stdout, status, STATUS_DIGITS);
	} else {
		r = status_print(status, cfg->all, stdout);
		json_decref(status);
	}
	if (!r)
		return EXIT_FINE;
	error_set(err, r, EXIT_RUNTIME, "standard output: %s", strerror(r == -EIO ? errno : -r));
	return EXIT_RUNTIME;
}
