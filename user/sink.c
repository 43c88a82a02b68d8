// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Which writer belongs to which format? */
#include "sink.h"

const struct sink *sink_of(enum output_format format)
{
	static const struct sink sinks[FORMAT_MAX] = {
		[FORMAT_TEXT] = { sink_text_write },
		[FORMAT_ECS] = { sink_json_write },
	};

	return &sinks[format];
}
