// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "sink_event.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "net.h"

void event_text(struct event *e, const char *key, const char *value)
{
	if (!sink_known(value))
		return;
	e->put(e->out, !e->begun, key, value);
	e->begun = true;
}

void event_odd(struct event *e, const char *key, const char *value)
{
	char text[EVENT_ODD_MAX];

	event_text(e, key, sink_clean(value, text, sizeof(text)));
}

void event_number(struct event *e, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	event_text(e, key, text);
}

void event_addr(struct event *e, const char *key, const struct ip_addr *addr)
{
	char text[NET_TEXT_MAX];

	event_text(e, key, addr_format(addr, text));
}

bool event_ports(struct event *e, const char *key, const struct alert *a, enum answer answer)
{
	char text[EVENT_PORTS_MAX];
	bool cut = sink_ports(a, answer, text, sizeof(text) - sizeof(",..."));

	if (cut)
		strcat(text, ",...");
	event_text(e, key, text);
	return cut;
}

void event_techniques(struct event *e, const char *key, const struct alert *a)
{
	const char *technique[ALERT_TECHNIQUES_MAX];
	unsigned int n = alert_techniques(a, technique);
	char text[256] = "";
	size_t len = 0;

	for (unsigned int i = 0; i < n && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? "," : "",
					technique[i]);
	event_text(e, key, text);
}

int event_end(FILE *out)
{
	if (fputc('\n', out) == EOF || fflush(out) == EOF || ferror(out))
		return -EIO;
	return 0;
}
