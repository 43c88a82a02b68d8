// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "alert_values.h"

#include <errno.h>
#include <stdlib.h>

static const struct ip_addr no_host;

static bool counts_ports(const struct alert *a)
{
	return a->rule->distinct & FIELD_RESP_PORT;
}

static bool counts_hosts(const struct alert *a)
{
	return a->rule->distinct & FIELD_RESP || rule_is_joint(a->rule); /* then: originators */
}

static bool counts_pairs(const struct alert *a)
{
	return counts_ports(a) && counts_hosts(a);
}

/* show_hosts - the array moves as it grows. */
static void show_hosts(const struct alert_values *v, struct alert *a)
{
	a->hosts = v->hosts.value;
	a->n_hosts = v->hosts.n;
}

int alert_values_init(struct alert_values *v, struct alert *a)
{
	*v = (struct alert_values){ .n_back = 0 };
	if (counts_hosts(a))
		hostset_init(&v->hosts);
	if (counts_pairs(a)) {
		hostset_init(&v->pairs);
		hostset_init(&v->port_refs);
	}
	a->ports = counts_ports(a) ? portset_new() : NULL;
	return counts_ports(a) && !a->ports ? -ENOMEM : 0;
}

void alert_values_done(struct alert_values *v, struct alert *a)
{
	portset_free(a->ports);
	a->ports = NULL;
	hostset_done(&v->hosts);
	hostset_done(&v->pairs);
	hostset_done(&v->port_refs);
	free(v->back);
	v->back = NULL;
	show_hosts(v, a);
}

/* list - hostset_add() to a list of the alert's, which says so when it is full. */
static int list(struct hostset *s, struct alert *a, const struct host_value *value)
{
	int r = hostset_add(s, &value->addr, value->port, value->answer);

	if (r != -ENOSPC)
		return r;
	a->hosts_cut = true;
	return 0;
}

/* pair_note - a new pair: its host and its port have one more. */
static int pair_note(struct alert_values *v, const struct host_value *value)
{
	struct host_value *host = hostset_find(&v->hosts, &value->addr, 0), *port;
	int r = hostset_add(&v->port_refs, &no_host, value->port, value->answer);

	if (host)
		host->refs++;
	if (r < 0)
		return r;
	port = hostset_find(&v->port_refs, &no_host, value->port);
	port->refs++;
	return 1;
}

int alert_values_add(struct alert_values *v, struct alert *a, const struct host_value *value)
{
	const struct host_value host = { .addr = value->addr, .answer = value->answer };
	int port_new = 0, host_new = 0, pair_new;

	if (counts_ports(a))
		port_new = portset_add(a->ports, value->port, value->answer);
	if (counts_hosts(a)) {
		host_new = list(&v->hosts, a, &host);
		show_hosts(v, a);
	}
	if (port_new < 0 || host_new < 0)
		return -ENOMEM;
	if (!counts_pairs(a))
		return port_new || host_new;
	pair_new = list(&v->pairs, a, value);
	if (pair_new > 0)
		pair_new = pair_note(v, value);
	return rule_is_joint(a->rule) && pair_new >= 0 ? port_new : pair_new;
}

/* back_note - keeps a value that is taken back. */
static int back_note(struct alert_values *v, const struct host_value *value)
{
	if (v->n_back == ALERT_HOSTS_MAX)
		return 0;
	if (v->n_back == v->back_room) {
		uint32_t room = v->back_room ? v->back_room * 2 : 4;
		struct host_value *more = realloc(v->back, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		v->back = more;
		v->back_room = room;
	}
	v->back[v->n_back++] = *value;
	return 0;
}

/* last_ref - one pair fewer has it. A full list may have missed one, hence no count below 0. */
static bool last_ref(struct host_value *v)
{
	if (v->refs > 0)
		v->refs--;
	return !v->refs;
}

/* pair_remove - also takes the port and the host out, if no other pair has them. */
static void pair_remove(struct alert_values *v, struct alert *a, struct host_value *pair)
{
	struct host_value *host = hostset_find(&v->hosts, &pair->addr, 0);
	struct host_value *port = hostset_find(&v->port_refs, &no_host, pair->port);

	if (port && last_ref(port)) {
		portset_remove(a->ports, pair->port);
		hostset_remove(&v->port_refs, port);
	}
	if (host && last_ref(host))
		hostset_remove(&v->hosts, host);
	hostset_remove(&v->pairs, pair);
}

int alert_values_take(struct alert_values *v, struct alert *a, const struct ip_addr *addr,
		      uint16_t port)
{
	struct host_value gone = { .addr = *addr, .port = port }, *listed = NULL;

	if (counts_hosts(a)) {
		listed = hostset_find(counts_pairs(a) ? &v->pairs : &v->hosts, addr,
				      counts_pairs(a) ? port : 0);
		if (!listed)
			return 0;
		gone.answer = listed->answer;
	} else if (!portset_get(a->ports, port, &gone.answer)) {
		return 0;
	}
	if (gone.answer == ANSWER_CLOSED)
		return 0;
	if (counts_pairs(a))
		pair_remove(v, a, listed);
	else if (listed)
		hostset_remove(&v->hosts, listed);
	else
		portset_remove(a->ports, port);
	show_hosts(v, a);
	return back_note(v, &gone) < 0 ? -ENOMEM : 1;
}

uint32_t alert_values_restore(struct alert_values *v, struct alert *a)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < v->n_back; i++)
		n += alert_values_add(v, a, &v->back[i]) > 0;
	return n;
}

enum answer alert_values_answer(const struct alert_values *v, const struct alert *a,
				const struct ip_addr *addr, uint16_t port)
{
	enum answer answer = ANSWER_MAX;
	const struct host_value *listed;

	if (counts_hosts(a)) {
		listed = hostset_find(counts_pairs(a) ? &v->pairs : &v->hosts, addr,
				      counts_pairs(a) ? port : 0);
		return listed ? listed->answer : ANSWER_MAX;
	}
	portset_get(a->ports, port, &answer);
	return answer;
}

uint8_t alert_values_answers(const struct alert_values *v, const struct alert *a)
{
	uint8_t set = 0;

	for (enum answer i = 0; i < ANSWER_MAX; i++)
		if (v->hosts.n_answer[i] || (a->ports && portset_count_answer(a->ports, i)))
			set |= (uint8_t)(1u << i);
	return set;
}

size_t alert_values_bytes(const struct alert_values *v, const struct alert *a)
{
	return hostset_bytes(&v->hosts) + hostset_bytes(&v->pairs) + hostset_bytes(&v->port_refs) +
	       v->back_room * sizeof(*v->back) + (a->ports ? portset_bytes(a->ports) : 0);
}

void alert_values_save(const struct alert_values *v, const struct alert *a, struct blob *b)
{
	if (a->ports)
		portset_save(a->ports, b);
	hostset_save(&v->hosts, b);
	hostset_save(&v->pairs, b);
	hostset_save(&v->port_refs, b);
	blob_put_u32(b, v->n_back);
	blob_put(b, v->back, v->n_back * sizeof(*v->back));
}

/* load_back - what was taken back. */
static int load_back(struct alert_values *v, struct blob *b)
{
	uint32_t n = blob_get_u32(b);

	for (uint32_t i = 0; i < n; i++) {
		struct host_value gone;
		int r;

		if (!blob_get(b, &gone, sizeof(gone)) || gone.answer >= ANSWER_MAX)
			return -EINVAL;
		r = back_note(v, &gone);
		if (r < 0)
			return r;
	}
	return b->failed ? -EINVAL : 0;
}

int alert_values_load(struct alert_values *v, struct alert *a, struct blob *b)
{
	int r = alert_values_init(v, a);

	if (!r && a->ports) {
		portset_free(a->ports);
		a->ports = portset_load(b);
		r = a->ports ? 0 : -EINVAL;
	}
	if (!r)
		r = hostset_load(&v->hosts, b);
	if (!r)
		r = hostset_load(&v->pairs, b);
	if (!r)
		r = hostset_load(&v->port_refs, b);
	if (!r)
		r = load_back(v, b);
	show_hosts(v, a);
	return r;
}
