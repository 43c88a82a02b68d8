/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The command line: options in, struct config out. */
#ifndef RECONMON_CLI_H
#define RECONMON_CLI_H

#include "config.h"

enum cli_result {
	CLI_RUN,  /* cfg is complete: go */
	CLI_DONE, /* --help or --version was printed to standard output: exit 0 */
	CLI_BAD,  /* err says why: exit err->exit_code */
};

/* cli_parse - reads argv[1..] into *cfg, which is filled with the defaults first. Prints nothing
 * but what --help and --version print. After CLI_RUN the caller ends *cfg with config_done(). */
enum cli_result cli_parse(int argc, char **argv, struct config *cfg, struct error *err);

#endif
