// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* reconmon: says within a second that somebody scans ports, here or from here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "doctor.h"
#include "explain.h"
#include "pin.h"
#include "replay.h"
#include "report.h"
#include "status_command.h"
#include "top.h"
#include "watch.h"

/* check - what holds in the end, as YAML. */
static int check(const struct config *cfg, struct error *err)
{
	int r = config_print(cfg, stdout);

	if (!r)
		return EXIT_FINE;
	error_set(err, r, EXIT_RUNTIME, "standard output: %s", strerror(r == -EIO ? errno : -r));
	return EXIT_RUNTIME;
}

/* unpin - the folder of the configuration, or the usual one. */
static int unpin(const struct config *cfg, struct error *err)
{
	const char *dir = cfg->pin[0] == '/' ? cfg->pin : PIN_DIR_DEFAULT;
	unsigned int n;

	if (pin_remove(dir, &n, err) < 0)
		return err->exit_code;
	if (n)
		log_notice("pin '%s': removed, with %u maps, links and filters", dir, n);
	else
		log_notice("pin '%s': nothing there", dir);
	return EXIT_FINE;
}

static int run(struct config *cfg, struct error *err)
{
	switch (cfg->command) {
	case COMMAND_CHECK:
		return check(cfg, err);
	case COMMAND_EXPLAIN:
		return explain_run(cfg, err);
	case COMMAND_DOCTOR:
		return doctor_run(cfg, err);
	case COMMAND_UNPIN:
		return unpin(cfg, err);
	case COMMAND_REPORT:
		return report_run(cfg, err);
	case COMMAND_REPLAY:
		return cfg->top_speed > 0 ? top_run(cfg, err) : replay_run(cfg, err);
	case COMMAND_TOP:
		return top_run(cfg, err);
	case COMMAND_STATUS:
		return status_run(cfg, err);
	default:
		return watch_run(cfg, err);
	}
}

int main(int argc, char **argv)
{
	static struct config cfg; /* large, and alive as long as the process */
	static const enum log_level levels[] = { LOG_QUIET, LOG_NOTICE, LOG_DEBUG };
	struct error err = { 0 };
	int code;

	switch (cli_parse(argc, argv, &cfg, &err)) {
	case CLI_DONE:
		return EXIT_FINE;
	case CLI_BAD:
		log_problem("%s", err.text);
		return err.exit_code;
	case CLI_RUN:
		break;
	}
	log_set_level(levels[cfg.verbosity + 1]);
	if (cfg.config_file && cfg.command != COMMAND_STATUS)
		log_notice("configuration: %s", cfg.config_file);
	code = run(&cfg, &err);
	if (code != EXIT_FINE && code != EXIT_FOUND)
		log_problem("%s", err.text);
	config_done(&cfg);
	return code;
}
