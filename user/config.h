/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Everything a user can choose, after the configuration file and the command line are read and
 * checked. Defaults give way to the profile, the profile to the file (config_file.h), the file to
 * the command line (cli.h). */
#ifndef RECONMON_CONFIG_H
#define RECONMON_CONFIG_H

#include <reconmon/attempt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "allow.h"
#include "geoip.h"
#include "net.h"
#include "rule.h"

enum ingress_hook {
	INGRESS_AUTO, /* native XDP on physical NICs that have it free, tc elsewhere */
	INGRESS_TC,
	INGRESS_XDP,
	INGRESS_XDP_GENERIC,
};

enum {
	CONFIG_PIN_MAX = 256, /* bytes of the path of the pins' folder, NUL included */
};

enum command {
	COMMAND_WATCH,	 /* live, the default */
	COMMAND_REPLAY,	 /* over captures */
	COMMAND_CHECK,	 /* reads the configuration and prints it */
	COMMAND_TOP,	 /* a screen of who looks around */
	COMMAND_EXPLAIN, /* why alerts fired */
	COMMAND_UNPIN,	 /* removes what a daemon with `pin` has left */
	COMMAND_DOCTOR,	 /* what this host allows */
	COMMAND_STATUS,	 /* asks a running daemon */
	COMMAND_REPORT,	 /* over captures and logs: a page */
};

enum {
	IFACE_PATTERNS_MAX = 64,
	IFACE_PATTERN_LEN = 64
};

/* Where alerts go. Any number of outputs, each with its own filter and format; output_config.h
 * reads one from text. */
enum output_kind {
	OUTPUT_STDOUT,
	OUTPUT_FILE,
	OUTPUT_SYSLOG,
	OUTPUT_JOURNALD,
	OUTPUT_WEBHOOK,
	OUTPUT_HEC, /* Splunk's HTTP Event Collector */
	OUTPUT_ELASTICSEARCH,
	OUTPUT_COMMAND,
	OUTPUT_STDERR,
	OUTPUT_KIND_MAX,
};

enum syslog_transport {
	SYSLOG_UNIX,
	SYSLOG_UDP,
	SYSLOG_TCP,
	SYSLOG_TLS, /* RFC 5425 */
};

enum output_format {
	FORMAT_DEFAULT, /* what the kind of output is usually read with: output_format() */
	FORMAT_TEXT,
	FORMAT_ECS,  /* Elastic Common Schema */
	FORMAT_OCSF, /* Open Cybersecurity Schema Framework */
	FORMAT_CEF,  /* ArcSight */
	FORMAT_LEEF, /* QRadar */
	FORMAT_ZEEK_TSV,
	FORMAT_ZEEK_JSON, /* notice.log */
	FORMAT_JOURNAL,	  /* systemd-journald's own, not to be chosen */
	FORMAT_CONN_TSV,  /* conn.log, of attempts: likewise */
	FORMAT_CONN_JSON,
	FORMAT_MAX,
};

enum {
	OUTPUTS_MAX = 16,
	OUTPUT_SAID_MAX = 1024, /* bytes of an output as it was written */
	OUTPUT_TARGET_MAX = 512,
	OUTPUT_RULES_MAX = 256,
	OUTPUT_PATH_MAX = 256,
};

/* How `report` writes. */
enum report_format {
	REPORT_HTML,
	REPORT_SVG,
	REPORT_JSON,
	REPORT_MD,
	REPORT_FORMAT_MAX,
};

struct output_config {
	enum output_kind kind;
	char target[OUTPUT_TARGET_MAX]; /* what follows "KIND:", "" if nothing does */
	enum syslog_transport transport;
	char host[OUTPUT_TARGET_MAX]; /* syslog: name or address; unix, journald: the socket */
	uint16_t port;
	uint8_t facility; /* syslog: 0 to 23; local0 */
	bool lf_framing;  /* syslog over TCP: lines instead of counted octets (RFC 6587) */
	char token_file[OUTPUT_PATH_MAX], ca[OUTPUT_PATH_MAX]; /* HTTP, TLS: paths, "" for none */
	char index[64];	     /* HEC, Elasticsearch; "": the token's, logs-reconmon.alert-default */
	uint32_t enterprise; /* syslog: number in the id of the structured data (RFC 5424, 7.2.2) */
	enum output_format format;
	uint8_t states;		      /* set of 1 << enum alert_state; all by default */
	uint8_t severity;	      /* what is below stays unsaid here; 0 (default) to 10 */
	char rules[OUTPUT_RULES_MAX]; /* names, joined by '+'; "" (default): all */
	uint32_t queue_bytes;	      /* text that may wait for the receiver; 64K to 1G */
	char spool[OUTPUT_PATH_MAX];  /* a folder, "none", or "" (default): config_spool() */
	uint32_t spool_bytes;	      /* 0 (default): as all of them */
};

enum {
	STATE_MAX = 512, /* bytes of the path of the state file, NUL included */
	CONFIG_METRICS_MAX = 64,
	CONTROL_PATH_MAX = 108, /* of the control socket: sun_path of struct sockaddr_un */
};

struct config {
	enum command command;
	int argc; /* the command line, for another look when the file has changed */
	char **argv;
	const char *config_file; /* what was read, in argv or the environment; NULL: no file */
	const char **file;	 /* replay, report: what to read, in argv; freed by config_done() */
	size_t files;
	const char *report_file; /* report: in argv; NULL or "-": standard output */
	enum report_format report_format;
	double top_speed;   /* replay --top: times as fast as it was; 0: no screen */
	bool fail_on_alert; /* replay: exit 10 when something was found */
	bool all;	    /* status: counters that are 0, too */
	char iface[IFACE_PATTERNS_MAX]
		  [IFACE_PATTERN_LEN]; /* names or globs; "!" before what is left out; none
					* but those: all that are up */
	uint32_t ifaces;
	enum ingress_hook ingress;
	uint64_t tick_ns;	 /* 50 ms to 60 s; default 1 s */
	uint64_t settle_ns;	 /* 100 ms to 60 s; default 2 s */
	uint64_t settle_open_ns; /* 100 ms to 10 min; default 30 s */
	uint64_t duration_ns;	 /* 0: until a signal */
	enum rule_profile profile;
	struct rule_set rules;
	struct net_list internal;
	uint32_t guard_rate;	     /* attempts a second at one service that are followed, 100 to
				      * GUARD_RATE_MAX (5,000); 0: all */
	bool habits;		     /* learn them, and let them be */
	char pod_names[STATE_MAX];   /* folder in which the kubelet leaves them; "": nowhere */
	bool reload_on_change;	     /* of the file, as upon SIGHUP */
	char state[STATE_MAX];	     /* where they are kept: a path, or "none"; "": see
				      * config_state_file() */
	char spool[OUTPUT_PATH_MAX]; /* below it a folder an output: a path, or "none"; "": see
				      * config_spool() */
	uint32_t spool_bytes;	     /* of each of them; 1M to 2G */
	char geoip[GEOIP_FILES_MAX][GEOIP_PATH_MAX]; /* databases of where addresses are: paths */
	uint32_t geoips;
	char pin[CONFIG_PIN_MAX]; /* where maps and links are kept: a path, or "off"; "": see
				   * config_pin_dir() */
	struct allow *allow;	  /* what is let be; its counters live; freed by config_done() */
	char control[CONTROL_PATH_MAX];	  /* control socket: a path, or "none"; "": see
					   * control_address() */
	char metrics[CONFIG_METRICS_MAX]; /* ADDRESS:PORT, or "off"; "": on the loopback, with a
					   * configuration file only */
	struct output_config output[OUTPUTS_MAX];
	/* As they were written: the destination and, a line each, KEY=VALUE. */
	char output_said[OUTPUTS_MAX][OUTPUT_SAID_MAX];
	uint32_t outputs; /* none: alerts go to standard output */
	bool numeric;	  /* ports are numbers, without the names of services */
	bool json;	  /* standard output: ECS where no format is given */
	enum log_attempts log_attempts;
	char attempts_file[OUTPUT_TARGET_MAX]; /* where their log goes; "": standard output, and
						* alerts without an output then to standard error */
	bool color;			       /* text to a terminal, NO_COLOR unset */
	int verbosity;			       /* -1: -q, 0, 1: -v */
	uint32_t nursery_slots;		       /* a power of two; 65,536 */
	uint32_t contacts_max;		       /* entries of the map `contacts` */
	uint32_t groups_max;		       /* live groups a rule, user space */
	uint32_t habits_max;		       /* habits, and as many candidates */
};

/* config_defaults - what `reconmon` alone means. */
void config_defaults(struct config *cfg);
/* A choice of one word: the same on the command line (--NAME) and in the file. */
struct config_setting {
	const char *name;
	/* set - reads the word. Returns 0, or -EINVAL with err filled and cfg unchanged; `what`
	 * names the option. */
	int (*set)(struct config *cfg, const char *what, const char *text, struct error *err);
	/* get - the word that set() reads back, into buf of CONFIG_WORD_MAX bytes. */
	const char *(*get)(const struct config *cfg, char *buf);
};

enum {
	CONFIG_WORD_MAX = OUTPUT_TARGET_MAX /* the longest are paths */
};

/* config_settings - all of them; *ret_n is how many. config_set - by a name that is one. */
const struct config_setting *config_settings(unsigned int *ret_n);
int config_set(struct config *cfg, const char *name, const char *what, const char *text,
	       struct error *err);

/* config_state_file - where habits are kept, in buf of STATE_MAX bytes: what was said, else
 * habits.json in $STATE_DIRECTORY (systemd's StateDirectory=) or, if it is there, in
 * /var/lib/reconmon. NULL: nowhere. */
const char *config_state_file(const struct config *cfg, char *buf);

/* config_spool - the folder in which this output's spool is to be made, in buf of STATE_MAX bytes:
 * the output's own, else the one of all (cfg->spool), else, of what leads to a receiver, `spool` in
 * $STATE_DIRECTORY or, if it is there, in /var/lib/reconmon. NULL: it has none. Not for replay,
 * which waits for its receivers. config_spool_said - did somebody ask for it? */
const char *config_spool(const struct config *cfg, const struct output_config *oc, char *buf);
bool config_spool_said(const struct config *cfg, const struct output_config *oc);

/* config_pin_dir - the folder in which maps and links are kept: what was said, else, for a service
 * (service: its manager is to be notified), the usual one if it is there and ours. NULL: nowhere.
 */
const char *config_pin_dir(const struct config *cfg, bool service);

/* The sizes of tables, --limit NAME=N. */
struct config_limit {
	const char *name;
	uint32_t max;  /* the least is CONFIG_LIMIT_MIN */
	size_t offset; /* of a uint32_t in struct config */
};

enum {
	CONFIG_LIMIT_MIN = 1024
};

const struct config_limit *config_limits(unsigned int *ret_n);

/* config_limit_get, config_limit_set - a limit's value. Setting returns 0, or -EINVAL with err
 * filled. */
uint32_t config_limit_get(const struct config *cfg, const struct config_limit *limit);
int config_limit_set(struct config *cfg, const struct config_limit *limit, const char *what,
		     const char *text, struct error *err);

/* config_iface_add - one more interface, glob or, with "!", exclusion. Returns 0, or -EINVAL with
 * err filled. */
int config_iface_add(struct config *cfg, const char *what, const char *pattern, struct error *err);

/* config_geoip_add - one more database; whether it is there is seen when it is opened. Returns 0,
 * or -EINVAL with err filled. */
int config_geoip_add(struct config *cfg, const char *what, const char *path, struct error *err);

/* config_output_add - one more output, "DEST[,KEY=VALUE]...". Returns 0, or -EINVAL with err
 * filled. config_output_put - the same of one that was read otherwise; `said` as in output_said. */
int config_output_add(struct config *cfg, const char *what, const char *text, struct error *err);
int config_output_put(struct config *cfg, const struct output_config *oc, const char *said,
		      const char *what, struct error *err);

/* config_print - the configuration as YAML that config_file_read() takes for the same. Returns 0,
 * -ENOMEM, or -EIO with the stream's errno. */
int config_print(const struct config *cfg, FILE *out);

/* config_done - frees what cli_parse() allocated in it. */
void config_done(struct config *cfg);

#endif
