// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What does `reconmon` mean when nothing else is said, and how is each choice read and written, be
 * it an option or a line of the file? */
#include "config.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kube.h"
#include "listen_address.h"
#include "output_config.h"
#include "pin.h"
#include "spool.h"

#include <reconmon/flood.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

enum {
	SPOOL_BYTES = 64 << 20, /* about 30,000 ECS documents */
};

/* Private addresses (RFC 1918) and unique local ones (RFC 4193), in network byte order. */
static const struct {
	uint8_t addr[16];
	uint8_t bits;
} internal_default[] = {
	{ { [10] = 0xff, 0xff, 10 }, 96 + 8 },
	{ { [10] = 0xff, 0xff, 172, 16 }, 96 + 12 },
	{ { [10] = 0xff, 0xff, 192, 168 }, 96 + 16 },
	{ { 0xfc }, 7 },
};

_Static_assert(sizeof(internal_default[0].addr) == sizeof(struct ip_addr), "one address each");

static void internal_defaults(struct net_list *list)
{
	for (size_t i = 0; i < ARRAY_SIZE(internal_default); i++) {
		struct net *net = &list->net[list->n++];

		memcpy(&net->addr, internal_default[i].addr, sizeof(net->addr));
		net->bits = internal_default[i].bits;
	}
}

void config_defaults(struct config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->ingress = INGRESS_AUTO;
	cfg->tick_ns = 1000000000ull;
	cfg->settle_ns = 2000000000ull;	      /* a lost SYN is repeated after 1 s (RFC 6298, 2.1) */
	cfg->settle_open_ns = 30000000000ull; /* greetings are slow, browsers connect ahead */
	cfg->guard_rate = 5000;		      /* a tenth of the nursery while it settles */
	cfg->nursery_slots = 65536;	      /* 4.7 MB: more costs a cache miss a packet */
	cfg->contacts_max = 65536;
	cfg->groups_max = 262144;
	cfg->habits = true;
	strcpy(cfg->pod_names, KUBE_DIR_DEFAULT);
	cfg->spool_bytes = SPOOL_BYTES;
	cfg->habits_max = 32768; /* 8 MB, candidates included, if there ever are so many */
	cfg->profile = PROFILE_DEFAULT;
	rules_builtin(cfg->profile, &cfg->rules);
	internal_defaults(&cfg->internal);
}

void config_done(struct config *cfg)
{
	allow_free(cfg->allow);
	cfg->allow = NULL;
	free(cfg->file);
	cfg->file = NULL;
	cfg->files = 0;
}

/* --- settings of one word --- */

static const char *const ingress_words[] = {
	[INGRESS_AUTO] = "auto",
	[INGRESS_TC] = "tc",
	[INGRESS_XDP] = "xdp",
	[INGRESS_XDP_GENERIC] = "xdp-generic",
};

static const char *const profile_words[] = {
	[PROFILE_DEFAULT] = "default",
	[PROFILE_SPLUNK] = "splunk",
};

static const char *const json_words[] = { "false", "true" };

/* By verbosity + 1. */
static const char *const verbosity_words[] = { "quiet", "normal", "verbose" };

static int set_profile(struct config *cfg, const char *what, const char *text, struct error *err)
{
	unsigned int i;
	int r = choice_parse(what, text, profile_words, ARRAY_SIZE(profile_words), &i, err);

	if (!r)
		cfg->profile = (enum rule_profile)i;
	return r;
}

static const char *get_profile(const struct config *cfg, char *buf)
{
	return strcpy(buf, profile_words[cfg->profile]);
}

static int set_ingress(struct config *cfg, const char *what, const char *text, struct error *err)
{
	unsigned int i;
	int r = choice_parse(what, text, ingress_words, ARRAY_SIZE(ingress_words), &i, err);

	if (!r)
		cfg->ingress = (enum ingress_hook)i;
	return r;
}

static const char *get_ingress(const struct config *cfg, char *buf)
{
	return strcpy(buf, ingress_words[cfg->ingress]);
}

static int set_settle(struct config *cfg, const char *what, const char *text, struct error *err)
{
	return duration_parse(what, text, 100 * NS_PER_MS, 60 * NS_PER_S, &cfg->settle_ns, err);
}

static const char *get_settle(const struct config *cfg, char *buf)
{
	return duration_format(cfg->settle_ns, buf);
}

static int set_settle_open(struct config *cfg, const char *what, const char *text,
			   struct error *err)
{
	return duration_parse(what, text, 100 * NS_PER_MS, 600 * NS_PER_S, &cfg->settle_open_ns,
			      err);
}

static const char *get_settle_open(const struct config *cfg, char *buf)
{
	return duration_format(cfg->settle_open_ns, buf);
}

static int set_tick(struct config *cfg, const char *what, const char *text, struct error *err)
{
	return duration_parse(what, text, 50 * NS_PER_MS, 60 * NS_PER_S, &cfg->tick_ns, err);
}

static const char *get_tick(const struct config *cfg, char *buf)
{
	return duration_format(cfg->tick_ns, buf);
}

enum {
	GUARD_RATE_MIN = 100
};

static int set_guard_rate(struct config *cfg, const char *what, const char *text, struct error *err)
{
	int r = 0;

	if (!strcmp(text, "off"))
		cfg->guard_rate = 0;
	else if (count_parse(what, text, GUARD_RATE_MIN, GUARD_RATE_MAX, &cfg->guard_rate, NULL))
		r = error_set(err, -EINVAL, EXIT_USAGE,
			      "%s '%.80s': a whole number from %d to %d is accepted, or off", what,
			      text, GUARD_RATE_MIN, GUARD_RATE_MAX);
	return r;
}

static const char *get_guard_rate(const struct config *cfg, char *buf)
{
	if (!cfg->guard_rate)
		return strcpy(buf, "off");
	snprintf(buf, CONFIG_WORD_MAX, "%u", cfg->guard_rate);
	return buf;
}

static int set_json(struct config *cfg, const char *what, const char *text, struct error *err)
{
	unsigned int i;
	int r = choice_parse(what, text, json_words, ARRAY_SIZE(json_words), &i, err);

	if (!r)
		cfg->json = i;
	return r;
}

static const char *get_json(const struct config *cfg, char *buf)
{
	return strcpy(buf, json_words[cfg->json]);
}

static const char *const attempts_words[] = { "off", "probes", "all" }; /* enum log_attempts */

static int set_attempts(struct config *cfg, const char *what, const char *text, struct error *err)
{
	unsigned int i;
	int r = choice_parse(what, text, attempts_words, ARRAY_SIZE(attempts_words), &i, err);

	if (!r)
		cfg->log_attempts = (enum log_attempts)i;
	return r;
}

static const char *get_attempts(const struct config *cfg, char *buf)
{
	return strcpy(buf, attempts_words[cfg->log_attempts]);
}

static int set_attempts_file(struct config *cfg, const char *what, const char *text,
			     struct error *err)
{
	if (!*text)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s: a file's name is missing; '-' is standard output", what);
	if (strlen(text) >= sizeof(cfg->attempts_file))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s: '%.60s...' is longer than %zu bytes", what, text,
				 sizeof(cfg->attempts_file) - 1);
	strcpy(cfg->attempts_file, strcmp(text, "-") ? text : "");
	return 0;
}

static const char *get_attempts_file(const struct config *cfg, char *buf)
{
	return strcpy(buf, *cfg->attempts_file ? cfg->attempts_file : "-");
}

static int set_verbosity(struct config *cfg, const char *what, const char *text, struct error *err)
{
	unsigned int i;
	int r = choice_parse(what, text, verbosity_words, ARRAY_SIZE(verbosity_words), &i, err);

	if (!r)
		cfg->verbosity = (int)i - 1;
	return r;
}

static const char *get_verbosity(const struct config *cfg, char *buf)
{
	return strcpy(buf, verbosity_words[cfg->verbosity + 1]);
}

static int set_habits(struct config *cfg, const char *what, const char *text, struct error *err)
{
	unsigned int i;
	int r = choice_parse(what, text, json_words, ARRAY_SIZE(json_words), &i, err);

	if (!r)
		cfg->habits = i;
	return r;
}

static const char *get_habits(const struct config *cfg, char *buf)
{
	return strcpy(buf, json_words[cfg->habits]);
}

static int set_numeric(struct config *cfg, const char *what, const char *text, struct error *err)
{
	unsigned int i;
	int r = choice_parse(what, text, json_words, ARRAY_SIZE(json_words), &i, err);

	if (!r)
		cfg->numeric = i;
	return r;
}

static const char *get_numeric(const struct config *cfg, char *buf)
{
	return strcpy(buf, json_words[cfg->numeric]);
}

static int set_pod_names(struct config *cfg, const char *what, const char *text, struct error *err)
{
	bool none = !strcmp(text, "none");

	if ((!none && *text != '/') || strlen(text) >= sizeof(cfg->pod_names) ||
	    !text_is_plain(text))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.80s': the full path of a folder, or none is accepted", what,
				 text);
	strcpy(cfg->pod_names, none ? "" : text);
	return 0;
}

static const char *get_pod_names(const struct config *cfg, char *buf)
{
	return strcpy(buf, cfg->pod_names[0] ? cfg->pod_names : "none");
}

static int set_reload(struct config *cfg, const char *what, const char *text, struct error *err)
{
	unsigned int i;
	int r = choice_parse(what, text, json_words, ARRAY_SIZE(json_words), &i, err);

	if (!r)
		cfg->reload_on_change = i;
	return r;
}

static const char *get_reload(const struct config *cfg, char *buf)
{
	return strcpy(buf, json_words[cfg->reload_on_change]);
}

static int set_state(struct config *cfg, const char *what, const char *text, struct error *err)
{
	bool word = !strcmp(text, "none") || !strcmp(text, "auto");

	if ((!word && *text != '/') || strlen(text) >= STATE_MAX - 16 || !text_is_plain(text))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.80s': the full path of a file, auto or none is accepted",
				 what, text);
	strcpy(cfg->state, strcmp(text, "auto") ? text : "");
	return 0;
}

static const char *get_state(const struct config *cfg, char *buf)
{
	return strcpy(buf, cfg->state[0] ? cfg->state : "auto");
}

/* set_pin - its last part makes pins' names longer, and a BPF file system has no dots in them. */
static int set_pin(struct config *cfg, const char *what, const char *text, struct error *err)
{
	const char *last;

	if (!strcmp(text, "on"))
		text = PIN_DIR_DEFAULT;
	last = strrchr(text, '/');
	if (!strcmp(text, "auto"))
		text = "";
	if (*text && strcmp(text, "off") != 0 &&
	    (*text != '/' || strlen(text) >= CONFIG_PIN_MAX || !text_is_plain(text) || !last[1] ||
	     strchr(last, '.')))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.80s': auto, off, on (%s), or the full path of a folder "
				 "below a BPF file system, without dots in its name",
				 what, text, PIN_DIR_DEFAULT);
	strcpy(cfg->pin, text);
	return 0;
}

static const char *get_pin(const struct config *cfg, char *buf)
{
	return strcpy(buf, cfg->pin[0] ? cfg->pin : "auto");
}

const char *config_pin_dir(const struct config *cfg, bool service)
{
	if (!strcmp(cfg->pin, "off"))
		return NULL;
	if (cfg->pin[0])
		return cfg->pin;
	return service && !access(PIN_DIR_DEFAULT, W_OK | X_OK) ? PIN_DIR_DEFAULT : NULL;
}

/* state_folder - where a daemon keeps what outlives it, in buf of STATE_MAX bytes with room for one
 * more name. NULL: nothing is made where nobody asked for it. */
static char *state_folder(char *buf)
{
	const char *folder = getenv("STATE_DIRECTORY");
	struct stat st;

	if (!folder || *folder != '/')
		folder = "/var/lib/reconmon";
	if (snprintf(buf, STATE_MAX, "%.*s", (int)strcspn(folder, ":"), folder) >=
		    STATE_MAX - (int)sizeof("/habits.json") || /* several: with colons between */
	    stat(buf, &st) ||
	    !S_ISDIR(st.st_mode))
		return NULL;
	return buf;
}

const char *config_state_file(const struct config *cfg, char *buf)
{
	if (!cfg->habits || cfg->profile == PROFILE_SPLUNK || !strcmp(cfg->state, "none"))
		return NULL;
	if (cfg->state[0])
		return strcpy(buf, cfg->state);
	return state_folder(buf) ? strcat(buf, "/habits.json") : NULL;
}

static int set_spool(struct config *cfg, const char *what, const char *text, struct error *err)
{
	bool word = !strcmp(text, "none") || !strcmp(text, "auto");

	if ((!word && *text != '/') || strlen(text) >= sizeof(cfg->spool) || !text_is_plain(text))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.80s': the full path of a folder, auto or none is accepted",
				 what, text);
	strcpy(cfg->spool, strcmp(text, "auto") ? text : "");
	return 0;
}

static const char *get_spool(const struct config *cfg, char *buf)
{
	return strcpy(buf, cfg->spool[0] ? cfg->spool : "auto");
}

static int set_spool_size(struct config *cfg, const char *what, const char *text, struct error *err)
{
	return size_parse(what, text, SPOOL_MIN, SPOOL_MAX, &cfg->spool_bytes, err);
}

static const char *get_spool_size(const struct config *cfg, char *buf)
{
	return size_format(cfg->spool_bytes, buf);
}

bool config_spool_said(const struct config *cfg, const struct output_config *oc)
{
	return oc->spool[0] || cfg->spool[0];
}

const char *config_spool(const struct config *cfg, const struct output_config *oc, char *buf)
{
	/* A file is where alerts are kept already. */
	bool away = oc->kind != OUTPUT_STDOUT && oc->kind != OUTPUT_STDERR &&
		    (oc->kind != OUTPUT_FILE || oc->spool[0]);
	const char *said = oc->spool[0] ? oc->spool : cfg->spool;

	if (!away || cfg->command == COMMAND_REPLAY || !strcmp(said, "none"))
		return NULL;
	if (*said)
		return strcpy(buf, said);
	return state_folder(buf) ? strcat(buf, "/spool") : NULL;
}

static int set_control(struct config *cfg, const char *what, const char *text, struct error *err)
{
	bool word = !strcmp(text, "none") || !strcmp(text, "auto");

	if ((!word && *text != '/') || strlen(text) >= CONTROL_PATH_MAX || !text_is_plain(text))
		return error_set(
			err, -EINVAL, EXIT_USAGE,
			"%s '%.120s': the full path of a socket, at most %d bytes, auto or "
			"none is accepted",
			what, text, CONTROL_PATH_MAX - 1);
	strcpy(cfg->control, strcmp(text, "auto") ? text : "");
	return 0;
}

static const char *get_control(const struct config *cfg, char *buf)
{
	return strcpy(buf, cfg->control[0] ? cfg->control : "auto");
}

static int set_metrics(struct config *cfg, const char *what, const char *text, struct error *err)
{
	struct listen_address at;

	if (strcmp(text, "off") != 0 && strcmp(text, "auto") != 0 &&
	    listen_address_parse(what, text, &at, err) < 0)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.60s': an address and a port (127.0.0.1:9765, [::1]:9765), "
				 "auto or off is accepted",
				 what, text);
	snprintf(cfg->metrics, sizeof(cfg->metrics), "%s", strcmp(text, "auto") ? text : "");
	return 0;
}

static const char *get_metrics(const struct config *cfg, char *buf)
{
	return strcpy(buf, cfg->metrics[0] ? cfg->metrics : "auto");
}

static const struct config_setting settings[] = {
	{ "profile", set_profile, get_profile },
	{ "ingress", set_ingress, get_ingress },
	{ "settle", set_settle, get_settle },
	{ "settle-open", set_settle_open, get_settle_open },
	{ "guard-rate", set_guard_rate, get_guard_rate },
	{ "tick", set_tick, get_tick },
	{ "habits", set_habits, get_habits },
	{ "state", set_state, get_state },
	{ "pin", set_pin, get_pin },
	{ "pod-names", set_pod_names, get_pod_names },
	{ "reload-on-change", set_reload, get_reload },
	{ "spool", set_spool, get_spool },
	{ "spool-size", set_spool_size, get_spool_size },
	{ "control", set_control, get_control },
	{ "metrics", set_metrics, get_metrics },
	{ "json", set_json, get_json },
	{ "numeric", set_numeric, get_numeric },
	{ "verbosity", set_verbosity, get_verbosity },
	{ "attempts", set_attempts, get_attempts },
	{ "attempts-file", set_attempts_file, get_attempts_file },
};

const struct config_setting *config_settings(unsigned int *ret_n)
{
	*ret_n = ARRAY_SIZE(settings);
	return settings;
}

int config_set(struct config *cfg, const char *name, const char *what, const char *text,
	       struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (!strcmp(settings[i].name, name))
			return settings[i].set(cfg, what, text, err);
	return error_set(err, -EINVAL, EXIT_RUNTIME, "no setting '%s'", name);
}

/* --- limits --- */

static const struct config_limit limits[] = {
	{ "attempts", 1u << 20, offsetof(struct config, nursery_slots) },
	{ "contacts", 1u << 22, offsetof(struct config, contacts_max) },
	{ "groups", 1u << 24, offsetof(struct config, groups_max) },
	{ "habits", 1u << 20, offsetof(struct config, habits_max) },
};

const struct config_limit *config_limits(unsigned int *ret_n)
{
	*ret_n = ARRAY_SIZE(limits);
	return limits;
}

uint32_t config_limit_get(const struct config *cfg, const struct config_limit *limit)
{
	return *(const uint32_t *)((const char *)cfg + limit->offset);
}

static uint32_t power_of_two_up(uint32_t n) /* n: 1 to 2^31 */
{
	return n == 1 ? 1 : 1u << (32 - __builtin_clz(n - 1));
}

int config_limit_set(struct config *cfg, const struct config_limit *limit, const char *what,
		     const char *text, struct error *err)
{
	uint32_t *value = (uint32_t *)((char *)cfg + limit->offset);
	int r = count_parse(what, text, CONFIG_LIMIT_MIN, limit->max, value, err);

	/* The nursery finds a bucket by masking a hash: hence its power of two. */
	if (!r && value == &cfg->nursery_slots)
		*value = power_of_two_up(*value);
	return r;
}

/* --- interfaces --- */

int config_iface_add(struct config *cfg, const char *what, const char *pattern, struct error *err)
{
	size_t len = strlen(pattern), without = *pattern == '!';
	bool glob = strpbrk(pattern, "*?[");
	size_t max = glob ? IFACE_PATTERN_LEN - 1 : IFNAMSIZ - 1 + without;

	if (len == without)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%s': a name or a glob is needed (`ip link` lists names)",
				 what, pattern);
	if (len > max)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.80s': %s has at most %zu characters", what, pattern,
				 glob ? "a glob" : "the name of an interface", max - without);
	if (!text_is_plain(pattern))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%s': control characters, or not UTF-8; write ? for each such "
				 "byte",
				 what, pattern);
	for (uint32_t i = 0; i < cfg->ifaces; i++)
		if (!strcmp(cfg->iface[i] + (*cfg->iface[i] == '!'), pattern + without) &&
		    (*cfg->iface[i] == '!') != without)
			return error_set(err, -EINVAL, EXIT_USAGE,
					 "%s '%s': cannot be watched and left out, as '%s'", what,
					 pattern, cfg->iface[i]);
	if (cfg->ifaces == IFACE_PATTERNS_MAX)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%s': more than %d of them; use globs, as in 'veth*'", what,
				 pattern, IFACE_PATTERNS_MAX);
	memcpy(cfg->iface[cfg->ifaces++], pattern, len + 1);
	return 0;
}

int config_geoip_add(struct config *cfg, const char *what, const char *path, struct error *err)
{
	if (*path != '/' || strlen(path) >= GEOIP_PATH_MAX || !text_is_plain(path))
		return error_set(
			err, -EINVAL, EXIT_USAGE,
			"%s '%.80s': the full path of a database (.mmdb), at most %d bytes", what,
			path, GEOIP_PATH_MAX - 1);
	if (cfg->geoips == GEOIP_FILES_MAX)
		return error_set(err, -EINVAL, EXIT_USAGE, "%s '%.80s': more than %d of them", what,
				 path, GEOIP_FILES_MAX);
	strcpy(cfg->geoip[cfg->geoips++], path);
	return 0;
}

/* --- outputs --- */

int config_output_put(struct config *cfg, const struct output_config *oc, const char *said,
		      const char *what, struct error *err)
{
	if (strlen(said) >= OUTPUT_SAID_MAX)
		return error_set(err, -EINVAL, EXIT_USAGE, "%s '%.40s...': longer than %d bytes",
				 what, said, OUTPUT_SAID_MAX - 1);
	if (cfg->outputs == OUTPUTS_MAX)
		return error_set(err, -EINVAL, EXIT_USAGE, "%s '%.80s': more than %d of them", what,
				 said, OUTPUTS_MAX);
	cfg->output[cfg->outputs] = *oc;
	strcpy(cfg->output_said[cfg->outputs++], said);
	return 0;
}

int config_output_add(struct config *cfg, const char *what, const char *text, struct error *err)
{
	char said[OUTPUT_SAID_MAX + 1];
	struct output_config oc;
	int r = output_config_parse(text, &oc, err);

	if (r < 0)
		return error_prefix(err, r, "%s", what);
	if (!text_is_plain(text))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.80s': control characters, or not UTF-8", what, text);
	snprintf(said, sizeof(said), "%s", text);
	for (char *p = said; (p = strchr(p, ',')); p++)
		*p = '\n';
	return config_output_put(cfg, &oc, said, what, err);
}
