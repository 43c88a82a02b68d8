// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The loop of `top`: answers come in, keys change what is looked at, the screen follows. */
#include "top.h"

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explain.h"
#include "services.h"
#include "top_draw.h"
#include "top_source.h"

enum {
	ESC_DELAY_MS = 50, /* how long an Esc may be the beginning of a key's sequence */
	KEY_ESC = 27,
};

struct top {
	struct config *cfg;
	struct top_source *source;
	struct top_model model;
	struct top_screen screen;
	struct services *services;
	char typed[TOP_FILTER_MAX], problem[256];
	json_t *alert; /* of the originator that is looked at */
	bool done;
};

/* ---- the alert that is looked at ---- */

static const char *alert_id(const struct top *t)
{
	const json_t *alerts[64];
	size_t n;

	if (!t->model.rows)
		return NULL;
	n = top_alerts(&t->model, t->model.row[top_model_at(&t->model)].addr, alerts, 64);
	if (!n)
		return NULL;
	return json_string_value(json_object_get(alerts[t->screen.nth % (n < 64 ? n : 64)], "id"));
}

/* alert_fetch - asks for more of the alert than `live` tells: all its probes, its document. */
static void alert_fetch(struct top *t)
{
	const char *id = alert_id(t);
	struct error err = { 0 };
	json_t *alert = NULL;

	if (id && top_source_alert(t->source, id, &alert, &err) < 0)
		snprintf(t->problem, sizeof(t->problem), "%.200s", err.text);
	json_decref(t->alert);
	t->alert = alert;
	t->screen.alert = alert;
}

static void alert_forget(struct top *t)
{
	json_decref(t->alert);
	t->alert = NULL;
	t->screen.alert = NULL;
	t->screen.nth = 0;
}

/* ---- lines to paste ---- */

/* print_lines - what silences one alert, or why there is nothing to silence. */
static void print_lines(struct top *t)
{
	struct subject *s = malloc(sizeof(*s));
	const struct explain x = { .cfg = t->cfg, .s = s, .services = t->services };
	json_t *silence = NULL;

	alert_fetch(t);
	if (s && subject_read(json_object_get(t->alert, "document"), s))
		silence = explain_silence(&x);
	if (silence) {
		printf("Alert %s, %s by %s. Nothing is applied; to silence it and no other, on the "
		       "command line\n\n%s\n\nor in the configuration file (then: kill -HUP)\n\n%s"
		       "\n`reconmon explain %s` says more.\n",
		       s->id, s->rule, s->originator,
		       json_string_value(json_object_get(silence, "option")),
		       json_string_value(json_object_get(silence, "yaml")), s->id);
	} else if (t->model.rows) {
		printf("%s has no open alert, so there is nothing to silence.\n",
		       t->model.row[top_model_at(&t->model)].addr);
	} else {
		printf("Nobody is there.\n");
	}
	json_decref(silence);
	free(s);
}

/* show_lines - on the screen as it was before us, where long lines can be copied whole. */
static void show_lines(struct top *t)
{
	def_prog_mode();
	endwin();
	print_lines(t);
	printf("\nEnter: back\n");
	fflush(stdout);
	while (1) {
		char c = '\n';
		ssize_t n = read(STDIN_FILENO, &c, 1);

		if (n == 0 || c == '\n' || c == '\r' || (n < 0 && errno != EINTR))
			break;
	}
	reset_prog_mode();
	clear();
	refresh();
}

/* ---- keys ---- */

static void arrange(struct top *t)
{
	if (top_model_arrange(&t->model) < 0)
		snprintf(t->problem, sizeof(t->problem), "no memory for %zu originators",
			 t->model.total);
}

/* type_key - while a filter is being typed: it holds at once. */
static void type_key(struct top *t, int key)
{
	size_t len = strlen(t->typed);

	if (key == KEY_ESC)
		t->typed[0] = '\0';
	if (key == KEY_ESC || key == '\n' || key == KEY_ENTER)
		t->screen.typed = NULL;
	else if ((key == KEY_BACKSPACE || key == 127 || key == '\b') && len)
		t->typed[len - 1] = '\0';
	else if (key > ' ' && key <= '~' && len + 1 < sizeof(t->typed))
		t->typed[len] = (char)key;
	if (key > ' ' && key <= '~' && len + 1 < sizeof(t->typed))
		t->typed[len + 1] = '\0';
	memcpy(t->model.filter, t->typed, sizeof(t->typed));
	arrange(t);
}

/* point - chooses another row; what is known of the old one's alert goes. */
static void point(struct top *t, long by)
{
	top_model_point(&t->model, by);
	alert_forget(t);
	if (t->screen.view == TOP_ORIGINATOR)
		alert_fetch(t);
}

/* move_key - returns false if it is none of those that choose a row. */
static bool move_key(struct top *t, int key)
{
	switch (key) {
	case KEY_UP:
	case 'k':
		point(t, -1);
		return true;
	case KEY_DOWN:
	case 'j':
		point(t, 1);
		return true;
	case KEY_PPAGE:
		point(t, -top_draw_rows());
		return true;
	case KEY_NPAGE:
		point(t, top_draw_rows());
		return true;
	case KEY_HOME:
		point(t, -(long)t->model.rows);
		return true;
	case KEY_END:
		point(t, (long)t->model.rows);
		return true;
	default:
		return false;
	}
}

static void back(struct top *t)
{
	if (t->screen.view == TOP_LIST) {
		t->typed[0] = '\0';
		t->model.filter[0] = '\0';
		arrange(t);
	}
	alert_forget(t);
	t->screen.view = TOP_LIST;
}

static void command_key(struct top *t, int key)
{
	switch (key) {
	case 'q':
		t->done = true;
		break;
	case KEY_ESC:
	case KEY_LEFT:
		back(t);
		break;
	case '\n':
	case KEY_ENTER:
	case KEY_RIGHT:
		if (t->model.rows && t->screen.view == TOP_LIST) {
			top_model_point(&t->model, 0); /* stays with who is there now */
			t->screen.view = TOP_ORIGINATOR;
			alert_fetch(t);
		}
		break;
	case 'n':
		t->screen.nth++;
		if (t->screen.view == TOP_ORIGINATOR)
			alert_fetch(t);
		break;
	case 's':
		t->model.sort = (t->model.sort + 1) % TOP_SORT_MAX;
		arrange(t);
		break;
	case 'r':
		t->model.reverse = !t->model.reverse;
		arrange(t);
		break;
	case '/':
		t->screen.typed = t->typed;
		break;
	case 'f':
	case ' ':
		t->screen.frozen = !t->screen.frozen;
		break;
	case 'a':
		show_lines(t);
		break;
	case 'h':
	case '?':
		t->screen.view = TOP_HELP;
		break;
	default:
		break;
	}
}

static void on_key(struct top *t, int key)
{
	t->problem[0] = '\0';
	if (key == KEY_RESIZE) /* curses knows the new size; drawing follows */
		return;
	if (t->screen.typed)
		type_key(t, key);
	else if (t->screen.view == TOP_HELP)
		t->screen.view = TOP_LIST;
	else if (!move_key(t, key))
		command_key(t, key);
}

/* ---- the loop ---- */

/* take_answers - of several that wait the last counts; frozen, none does. What is known of an alert
 * goes with the daemon that told it. Returns 0 or a negative errno. */
static int take_answers(struct top *t, struct error *err)
{
	bool was_gone = top_source_gone(t->source);
	json_t *answer, *last = NULL;
	int r;

	while ((r = top_source_next(t->source, &answer, err)) > 0) {
		json_decref(last);
		last = answer;
	}
	if (last && t->screen.frozen)
		json_decref(last);
	else if (last && top_model_take(&t->model, last) < 0)
		snprintf(t->problem, sizeof(t->problem), "no memory for another picture");
	if (was_gone && !top_source_gone(t->source)) {
		alert_forget(t);
		if (t->screen.view == TOP_ORIGINATOR)
			alert_fetch(t);
	}
	return r;
}

static int loop(struct top *t, struct error *err)
{
	struct pollfd p[2] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
	};
	int r = 0, key;

	while (!t->done && !r) {
		t->screen.problem = *t->problem ? t->problem : NULL;
		t->screen.gone = top_source_gone(t->source);
		top_draw(&t->model, &t->screen);
		p[1].fd = top_source_fd(t->source);
		if (poll(p, 2, top_source_wait_ms(t->source)) < 0 && errno != EINTR)
			return error_set(err, -errno, EXIT_RUNTIME, "top: poll: %m");
		while (!t->done && (key = getch()) != ERR)
			on_key(t, key);
		if (p[0].revents & (POLLHUP | POLLERR)) /* the terminal is gone */
			t->done = true;
		if (p[1].revents || p[1].fd < 0)
			r = take_answers(t, err);
		p[0].revents = p[1].revents = 0;
	}
	return r;
}

/* screen_open - curses over the terminal we have. Returns 0, or -ENOTTY with err filled. */
static int screen_open(SCREEN **ret, struct error *err)
{
	setlocale(LC_CTYPE, "");
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return error_set(err, -ENOTTY, EXIT_USAGE,
				 "top needs a terminal; `reconmon status` prints the same once");
	*ret = newterm(NULL, stdout, stdin);
	if (!*ret)
		return error_set(err, -ENOTTY, EXIT_USAGE,
				 "terminal '%.40s' is unknown: set TERM to what it is, as in "
				 "TERM=xterm",
				 getenv("TERM") ? getenv("TERM") : "");
	set_escdelay(ESC_DELAY_MS);
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	top_draw_init();
	return 0;
}

int top_run(struct config *cfg, struct error *err)
{
	struct top t = { .cfg = cfg };
	SCREEN *screen = NULL;
	int r = top_source_open(cfg, &t.source, err);

	if (!r)
		r = screen_open(&screen, err);
	if (!r) {
		t.services = cfg->numeric ? NULL : services_new();
		if (t.services)
			services_load(t.services);
		t.screen.source = top_source_name(t.source);
		t.screen.services = t.services;
		r = loop(&t, err);
		endwin();
		delscreen(screen);
	}
	alert_forget(&t);
	top_model_done(&t.model);
	services_free(t.services);
	top_source_close(t.source);
	return r < 0 ? err->exit_code : EXIT_FINE;
}
