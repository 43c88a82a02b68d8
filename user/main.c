// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* reconmon: says within a second that somebody scans ports, here or from here. */
#include <stdlib.h>

#include "cli.h"
#include "replay.h"
#include "watch.h"

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
	code = cfg.command == COMMAND_REPLAY ? replay_run(&cfg, &err) : watch_run(&cfg, &err);
	if (code != EXIT_FINE && code != EXIT_FOUND)
		log_problem("%s", err.text);
	config_done(&cfg);
	return code;
}
