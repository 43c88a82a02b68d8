// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The assembler takes the files in: no tool more, and no limit on a literal's length. Paths are the
 * repository's, where make runs. */
#include "report_assets.h"

#define ASSET(name, file)                                                                          \
	__asm__(".pushsection .rodata\n"                                                           \
		".global " #name "\n"                                                              \
		".hidden " #name "\n"                                                              \
		".type " #name ", %object\n" #name ":\n"                                           \
		".incbin \"user/report/" file "\"\n"                                               \
		".byte 0\n"                                                                        \
		".size " #name ", . - " #name "\n"                                                 \
		".popsection\n")

ASSET(report_picture_css, "picture.css");
ASSET(report_page_css, "page.css");
ASSET(report_page_js, "page.js");
