// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What users write: network lists, times, RULE.FIELD=VALUE, whole command lines, the configuration
 * file; what clients ask at the control socket; logs of alerts; and port sets, whose text others
 * read back. Input: a letter that says which, then the text. */
#include "fuzz.h"

#include <arpa/inet.h>
#include <cli.h>
#include <config_file.h>
#include <control_request.h>
#include <listen_address.h>
#include <net.h>
#include <portset.h>
#include <report_alertlog.h>
#include <report_html.h>
#include <rule.h>
#include <words.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Help and version go to standard output, which nobody reads here; and the configuration of this
 * machine has no say. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct memory_file empty;

	(void)argc;
	(void)argv;
	memory_file_make(&empty, "", 0);
	setenv("RECONMON_CONFIG", empty.path, 1);
	if (!freopen("/dev/null", "w", stdout))
		abort();
	return 0;
}

/* check_error - one line, ended, with the exit code of a command line that makes no sense. */
static void check_error(const struct error *err)
{
	CHECK(*err->text && strlen(err->text) < sizeof(err->text), "refused without a word");
	CHECK(err->exit_code == EXIT_USAGE, "exit code %d", err->exit_code);
}

/* --- networks --- */

/* bit_at - bit i of an address, from the left. */
static bool bit_at(const struct ip_addr *a, unsigned int i)
{
	return ((const uint8_t *)a)[i / 8] >> (7 - i % 8) & 1;
}

static bool net_has_slowly(const struct net *net, const struct ip_addr *a)
{
	if (addr_is_v4(a) && net->bits < 96)
		return false;
	for (unsigned int i = 0; i < net->bits; i++)
		if (bit_at(&net->addr, i) != bit_at(a, i))
			return false;
	return true;
}

/* check_net - reads back as what it is; nothing is set beyond its prefix; membership is that of a
 * comparison bit by bit, for the network's own address and for one that differs in one bit. */
static void check_net(const struct net_list *list, const struct net *net, unsigned int dice)
{
	char text[NET_TEXT_MAX], cidr[NET_TEXT_MAX + 8];
	bool v4 = addr_is_v4(&net->addr) && net->bits >= 96;
	struct ip_addr a = net->addr;
	struct net_list again;
	struct error err;
	bool slowly = false;

	CHECK(net->bits <= 128, "%u bits", net->bits);
	for (unsigned int i = net->bits; i < 128; i++)
		CHECK(!bit_at(&net->addr, i), "bit %u is set beyond a prefix of %u", i, net->bits);

	addr_format(&net->addr, text);
	snprintf(cidr, sizeof(cidr), "%s/%u", text, net->bits - (v4 ? 96 : 0));
	/* ::ffff:a.b.c.d/64 and the like have no text of their own: IPv4's begins at 96 bits. */
	if (v4 || !addr_is_v4(&net->addr)) {
		CHECK(!net_list_parse(cidr, &again, &err), "%s is not read back: %s", cidr,
		      err.text);
		CHECK(again.n == 1 && again.net[0].bits == net->bits &&
			      addr_same(&again.net[0].addr, &net->addr),
		      "%s becomes another network", cidr);
	}

	((uint8_t *)&a)[dice % 128 / 8] ^= (uint8_t)(0x80 >> dice % 8);
	for (size_t i = 0; i < list->n; i++)
		slowly |= net_has_slowly(&list->net[i], &a);
	CHECK(net_list_has(list, &a) == slowly, "%s and a neighbour: membership differs", cidr);
}

static void fuzz_nets(const char *text)
{
	struct net_list list = { .n = NETS_MAX + 1 };
	unsigned int dice = bytes_hash((const uint8_t *)text, strlen(text));
	struct error err = { 0 };

	if (net_list_parse(text, &list, &err) < 0) {
		check_error(&err);
		CHECK(list.n == NETS_MAX + 1, "refused, and changed");
		return;
	}
	CHECK(list.n >= 1 && list.n <= NETS_MAX, "%zu networks", list.n);
	for (size_t i = 0; i < list.n; i++)
		check_net(&list, &list.net[i], dice + (unsigned int)i);
}

/* --- times and rules --- */

static void fuzz_duration(const char *text)
{
	struct error err = { 0 };
	uint64_t ns = 1, again;
	char back[32];

	if (duration_parse("--time", text, 0, UINT64_MAX, &ns, &err) < 0) {
		check_error(&err);
		CHECK(ns == 1, "refused, and changed");
		return;
	}
	duration_format(ns, back);
	CHECK(!duration_parse("--time", back, ns, ns, &again, &err), "'%s' becomes %s: %s", text,
	      back, err.text);
	CHECK(strlen(back) <= 26, "%s is longer than a time has to be", back);
}

static void check_rules(const struct rule_set *rules)
{
	for (uint32_t i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->rule[i];

		CHECK(r->threshold >= 1 && r->threshold <= 65536, "threshold %u", r->threshold);
		CHECK(r->window_ns >= 1000000000ull && r->window_ns <= 7 * 86400 * 1000000000ull,
		      "window %llu", (unsigned long long)r->window_ns);
		CHECK(r->mode == WINDOW_SLIDING || r->mode == WINDOW_TUMBLING, "mode %d", r->mode);
		CHECK(r->group && r->distinct, "a rule that counts nothing");
	}
}

static void fuzz_rule(const char *text)
{
	struct rule_set rules, before;
	struct error err = { 0 };

	rules_builtin(PROFILE_DEFAULT, &rules);
	before = rules;
	if (rules_set(&rules, text, &err) < 0) {
		check_error(&err);
		CHECK(!memcmp(&rules, &before, sizeof(rules)), "refused, and changed");
	}
	check_rules(&rules);
}

/* --- configurations --- */

static void check_config(const struct config *cfg)
{
	CHECK(cfg->ifaces <= IFACE_PATTERNS_MAX, "%zu interfaces", (size_t)cfg->ifaces);
	CHECK(cfg->files || (cfg->command != COMMAND_REPLAY && cfg->command != COMMAND_EXPLAIN),
	      "none to replay or to explain");
	CHECK(!cfg->files || cfg->command == COMMAND_REPLAY || cfg->command == COMMAND_EXPLAIN ||
		      cfg->command == COMMAND_REPORT,
	      "files to watch");
	CHECK(cfg->nursery_slots >= 1024 && cfg->nursery_slots <= 1u << 20 &&
		      !(cfg->nursery_slots & (cfg->nursery_slots - 1)),
	      "%u slots", cfg->nursery_slots);
	CHECK(cfg->tick_ns >= 50000000 && cfg->settle_ns && cfg->settle_open_ns, "a time of 0");
	check_rules(&cfg->rules);
}

/* config_text - what `reconmon check` says; the caller frees it. */
static char *config_text(const struct config *cfg, size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	if (!out)
		abort();
	CHECK(!config_print(cfg, out), "not printed");
	fclose(out);
	return text;
}

static int config_read(const char *text, size_t len, struct config *cfg, struct error *err)
{
	struct memory_file f;
	int r;

	config_defaults(cfg);
	memory_file_make(&f, text, len);
	r = config_file_read(f.path, NULL, cfg, err);
	memory_file_done(&f);
	return r;
}

/* check_print - what is printed is read back as the same, told by printing that once more. */
static void check_print(const struct config *cfg)
{
	static struct config again;
	struct error err = { 0 };
	size_t len, len_again;
	char *text = config_text(cfg, &len), *text_again;

	CHECK(!config_read(text, len, &again, &err), "%s in\n%s", err.text, text);
	text_again = config_text(&again, &len_again);
	CHECK(!strcmp(text, text_again), "printed\n%sread back as\n%s", text, text_again);
	free(text_again);
	free(text);
	config_done(&again);
}

static void fuzz_config_file(const char *text, size_t len)
{
	static struct config cfg;
	struct error err = { 0 };

	if (config_read(text, len, &cfg, &err) < 0) {
		check_error(&err);
	} else {
		check_config(&cfg);
		check_print(&cfg);
	}
	config_done(&cfg);
}

/* Arguments are lines. */
static void fuzz_command_line(char *text)
{
	char name[] = "reconmon", *argv[64] = { name };
	struct error err = { 0 };
	struct config cfg;
	int argc = 1;

	for (char *word = strtok(text, "\n"); word && argc < 63; word = strtok(NULL, "\n"))
		argv[argc++] = word;
	switch (cli_parse(argc, argv, &cfg, &err)) {
	case CLI_RUN:
		check_config(&cfg);
		check_print(&cfg);
		config_done(&cfg);
		break;
	case CLI_BAD:
		check_error(&err);
		break;
	default:
		break;
	}
}

/* --- port sets --- */

/* check_range - first to last are there, with that answer; *next is where the text may go on. */
static void check_range(const uint8_t *want, enum answer only, uint32_t first, uint32_t last,
			uint32_t *next)
{
	CHECK(first >= *next && first <= last && last <= 65535, "%u-%u after %u", first, last,
	      *next);
	for (uint32_t port = first; port <= last; port++)
		CHECK(only == ANSWER_MAX ? want[port] < ANSWER_MAX : want[port] == only,
		      "port %u is not there", port);
	*next = last + 1;
}

/* check_text - the text names, in ascending order, exactly the ports of one answer: each is there,
 * and they are as many. */
static void check_text(const struct portset *p, const uint8_t *want, enum answer only, uint32_t n)
{
	size_t len = portset_format(p, only, NULL, 0);
	char *text = malloc(len + 1), *at = text;
	uint32_t next = 0, named = 0;

	CHECK(text && portset_format(p, only, text, len + 1) == len && strlen(text) == len,
	      "its length is another");
	while (*at) {
		uint32_t first = (uint32_t)strtoul(at, &at, 10), last = first;

		if (*at == '-')
			last = (uint32_t)strtoul(at + 1, &at, 10);
		CHECK(first + 1 != last, "two neighbours as a range: %s", text);
		check_range(want, only, first, last, &next);
		named += last - first + 1;
		CHECK(*at == ',' || !*at, "%s", text);
		at += *at == ',';
	}
	CHECK(named == n, "%u ports are named, %u there: %s", named, n, text);
	free(text);
}

/* check_cut - what does not fit is left out, whole elements at a time. */
static void check_cut(const struct portset *p, size_t room)
{
	char *text = malloc(room);
	size_t whole = portset_format(p, ANSWER_MAX, text, room), len = strlen(text);

	CHECK(text && len < room, "no end");
	CHECK(whole < room ? len == whole : len < whole, "%zu of %zu in %zu", len, whole, room);
	CHECK(!len || text[len - 1] != ',', "%s ends within an element", text);
	free(text);
}

/* Operations of three bytes: what (answer in the low bits, 4 to 7: remove), and the port. */
static void fuzz_portset(const uint8_t *op, size_t size)
{
	static uint8_t want[65536];
	struct portset *p = portset_new();
	uint32_t n[ANSWER_MAX] = { 0 }, all = 0;

	memset(want, ANSWER_MAX, sizeof(want));
	for (; size >= 3; op += 3, size -= 3) {
		enum answer answer = op[0] & 3, was, got;
		uint16_t port = (uint16_t)(op[1] << 8 | op[2]);

		was = want[port];
		if (op[0] & 4) {
			CHECK(portset_remove(p, port) == (was != ANSWER_MAX), "port %u", port);
			want[port] = ANSWER_MAX;
		} else {
			CHECK(portset_add(p, port, answer) == (was == ANSWER_MAX), "port %u", port);
			want[port] = answer < was ? answer : was;
		}
		if (was != ANSWER_MAX)
			n[was]--;
		if (want[port] != ANSWER_MAX)
			n[want[port]]++;
		CHECK(portset_get(p, port, &got) == (want[port] != ANSWER_MAX), "port %u", port);
		CHECK(want[port] == ANSWER_MAX || got == want[port], "port %u: %d", port, got);
	}
	for (enum answer a = 0; a < ANSWER_MAX; a++) {
		CHECK(portset_count_answer(p, a) == n[a], "%s: not %u", answer_name(a), n[a]);
		check_text(p, want, a, n[a]);
		all += n[a];
	}
	CHECK(portset_count(p) == all, "%u ports", portset_count(p));
	check_text(p, want, ANSWER_MAX, all);
	check_cut(p, 1 + size + n[0] * 3);
	portset_free(p);
}

/* --- requests at the control socket, and addresses --- */

/* What is taken is in its ranges, and what is refused changes nothing. The bytes end where the
 * buffer does. */
static void fuzz_request(const uint8_t *data, size_t len)
{
	struct control_request q, before;
	struct error err = { 0 };

	memset(&q, 0x5a, sizeof(q));
	before = q;
	if (control_request_parse((const char *)data, len, &q, &err) < 0) {
		check_error(&err);
		CHECK(!memcmp(&q, &before, sizeof(q)), "changed, and refused");
		return;
	}
	CHECK(len <= CONTROL_LINE_MAX, "%zu bytes", len);
	CHECK(q.get < CONTROL_GET_MAX, "get %d", (int)q.get);
	CHECK(!q.every_ms ||
		      (q.every_ms >= CONTROL_EVERY_MIN_MS && q.every_ms <= CONTROL_EVERY_MAX_MS),
	      "every %u ms", q.every_ms);
	CHECK(strnlen(q.id, sizeof(q.id)) < sizeof(q.id), "an id without end");
}

static void fuzz_address(const char *text)
{
	struct listen_address a;
	struct error err = { 0 };

	if (listen_address_parse("--metrics", text, &a, &err) < 0)
		check_error(&err);
	else
		CHECK(a.len && (a.any.ss_family == AF_INET || a.any.ss_family == AF_INET6),
		      "family %d", a.any.ss_family);
}

/* --- logs of alerts --- */

/* Lines of a log that anybody may have written become a page in which nothing of theirs is an
 * element. */
static void fuzz_alert_log(const char *text, size_t len)
{
	static struct config cfg;
	unsigned int scripts = 0;
	struct report *m;
	char *page = NULL;
	FILE *out;

	config_defaults(&cfg);
	m = report_new(&cfg);
	for (const char *end = text + len, *lf; text < end; text = lf + 1) {
		lf = memchr(text, '\n', (size_t)(end - text));
		lf = lf ? lf : end;
		(void)report_alertlog_line(text, (size_t)(lf - text), m);
	}
	CHECK(!report_finish(m), "no memory");
	out = open_memstream(&page, &len);
	if (!out)
		abort();
	CHECK(!report_html_file(out, m, NULL, "nonce"), "not written");
	fclose(out);
	for (const char *at = page; (at = strstr(at, "<script")); at++)
		scripts++;
	CHECK(scripts == 1 && strlen(page) == len, "%u scripts, or a NUL", scripts);
	CHECK(!strstr(page, "<img") && !strstr(page, "javascript:\""), "an element of theirs");
	free(page);
	report_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = malloc(size); /* exactly: ASan sees a read of the byte behind */
	if (!text)
		abort();
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0]) {
	case 'n':
		fuzz_nets(text);
		break;
	case 't':
		fuzz_duration(text);
		break;
	case 'r':
		fuzz_rule(text);
		break;
	case 'c':
		fuzz_command_line(text);
		break;
	case 'y':
		fuzz_config_file(text, size - 1);
		break;
	case 'q':
		fuzz_request((const uint8_t *)text, size - 1);
		break;
	case 'a':
		fuzz_address(text);
		break;
	case 'l':
		fuzz_alert_log(text, size - 1);
		break;
	case 'p':
		fuzz_portset(data + 1, size - 1);
		break;
	default:
		break;
	}
	free(text);
	return 0;
}
