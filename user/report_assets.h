/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The files of user/report/, as they are, ended by a NUL. */
#ifndef RECONMON_REPORT_ASSETS_H
#define RECONMON_REPORT_ASSETS_H

extern const char report_picture_css[]; /* colours and letters of the pictures */
extern const char report_page_css[];
extern const char report_page_js[];

#endif
