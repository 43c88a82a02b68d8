// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "top_source.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "control_client.h"
#include "replay.h"
#include "watch.h"

enum {
	START_MS = 20000, /* that a daemon of our own may take until it listens */
	STEP_MS = 20,
	ANSWER_MS = 1000,
	EVERY_MS = 500,	 /* between two pictures */
	AGAIN_MS = 1000, /* between two looks for a daemon that has gone */
};

struct top_source {
	struct config *cfg;
	const char *name;
	struct control_client *live; /* NULL: the daemon has gone, */
	struct error gone;	     /* for this reason; "": it answers */
	int64_t again_ms;	     /* when to look for it */
	pid_t child;		     /* 0: the daemon is not ours */
	char folder[64];	     /* of the child's socket; "": none */
	char said[96];		     /* what the child says to standard error */
	char socket[96];
	char asked[CONTROL_PATH_MAX]; /* cfg->control as the user has it */
};

const char *top_source_name(const struct top_source *s)
{
	return s->name;
}

int top_source_fd(const struct top_source *s)
{
	return s->live ? control_client_fd(s->live) : -1;
}

const char *top_source_gone(const struct top_source *s)
{
	return s->gone.text[0] ? s->gone.text : NULL;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int top_source_wait_ms(const struct top_source *s)
{
	int64_t left = s->again_ms - now_ms();

	if (s->live)
		return -1;
	return left > 0 ? (int)left : 0;
}

/* subscribe - asks for pictures again and again. */
static int subscribe(struct top_source *s, struct error *err)
{
	char request[64];

	snprintf(request, sizeof(request), "{\"get\":\"live\",\"every_ms\":%d}", EVERY_MS);
	return control_client_ask(s->live, request, err);
}

/* ---- a child that does the daemon's work ---- */

/* child_run - never returns. Alerts go nowhere and habits are not kept: a look must leave no trace
 * beside the real daemon's. */
static void child_run(struct top_source *s, pid_t parent)
{
	FILE *null = fopen("/dev/null", "r+e"), *said = fopen(s->said, "we");
	struct config *cfg = s->cfg;
	struct error err = { 0 };
	int code;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || !null || !said)
		_exit(EXIT_RUNTIME);
	dup2(fileno(null), STDIN_FILENO);
	dup2(fileno(null), STDOUT_FILENO);
	dup2(fileno(said), STDERR_FILENO);
	cfg->outputs = 0;
	cfg->log_attempts = LOG_NONE;
	cfg->duration_ns = 0;
	cfg->color = false;
	snprintf(cfg->state, sizeof(cfg->state), "none");
	code = cfg->command == COMMAND_REPLAY ? replay_run(cfg, &err) : watch_run(cfg, &err);
	if (code != EXIT_FINE)
		log_problem("%s", err.text);
	_exit(code);
}

static void nap(void)
{
	const struct timespec t = { .tv_nsec = STEP_MS * 1000000 };

	nanosleep(&t, NULL);
}

/* child_words - the last line that the child said, without the name in front. */
static void child_words(const struct top_source *s, char *buf, size_t size)
{
	FILE *f = fopen(s->said, "re");
	char line[512];

	snprintf(buf, size, "it ended without a word");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(buf, size, "%.390s", !strncmp(line, "reconmon: ", 10) ? line + 10 : line);
	}
	if (f)
		fclose(f);
}

/* child_ended - fills err with why it is not there any more, if it is not. */
static bool child_ended(struct top_source *s, struct error *err)
{
	char words[400];
	int status;

	if (!s->child || waitpid(s->child, &status, WNOHANG) != s->child)
		return false;
	s->child = 0;
	child_words(s, words, sizeof(words));
	error_set(err, -ECHILD,
		  WIFEXITED(status) && WEXITSTATUS(status) ? (enum exit_code)WEXITSTATUS(status)
							   : EXIT_RUNTIME,
		  "%s", words);
	return true;
}

/* child_connect - waits until the child listens. */
static int child_connect(struct top_source *s, struct error *err)
{
	for (int waited = 0; waited < START_MS; waited += STEP_MS) {
		if (!control_client_open(s->cfg, &s->live, err))
			return 0;
		if (child_ended(s, err))
			return -ECHILD;
		nap();
	}
	return error_set(err, -ETIMEDOUT, EXIT_RUNTIME,
			 "a daemon of our own did not come up within %d s", START_MS / 1000);
}

static int child_start(struct top_source *s, struct error *err)
{
	pid_t parent = getpid();

	snprintf(s->folder, sizeof(s->folder), "/tmp/reconmon-top.XXXXXX");
	if (!mkdtemp(s->folder)) {
		s->folder[0] = '\0';
		return error_set(err, -errno, EXIT_RUNTIME, "cannot make a folder in /tmp: %m");
	}
	snprintf(s->socket, sizeof(s->socket), "%s/sock", s->folder);
	snprintf(s->said, sizeof(s->said), "%s/said", s->folder);
	snprintf(s->cfg->control, sizeof(s->cfg->control), "%s", s->socket);
	s->child = fork();
	if (s->child < 0) {
		s->child = 0;
		return error_set(err, -errno, EXIT_RUNTIME, "cannot start a daemon: %m");
	}
	if (!s->child)
		child_run(s, parent);
	return child_connect(s, err);
}

/* ---- from the beginning to the end ---- */

int top_source_open(struct config *cfg, struct top_source **ret, struct error *err)
{
	struct top_source *s = calloc(1, sizeof(*s));
	bool replay = cfg->command == COMMAND_REPLAY;
	int r = -ENOENT;

	if (!s)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "top: out of memory");
	s->cfg = cfg;
	s->name = replay ? "replay" : "daemon";
	if (!replay)
		r = control_client_open(cfg, &s->live, err);
	if (r == -EACCES) { /* one runs, and is not ours to ask */
		top_source_close(s);
		return r;
	}
	if (r < 0) {
		s->name = replay ? "replay" : "own daemon";
		r = child_start(s, err);
	}
	if (!r)
		r = subscribe(s, err);
	if (r < 0) {
		top_source_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

void top_source_close(struct top_source *s)
{
	if (!s)
		return;
	control_client_close(s->live);
	if (s->child) {
		kill(s->child, SIGTERM);
		waitpid(s->child, NULL, 0);
	}
	if (*s->folder) {
		unlink(s->socket);
		unlink(s->said);
		rmdir(s->folder);
	}
	free(s);
}

static void lose(struct top_source *s, const struct error *why)
{
	control_client_close(s->live);
	s->live = NULL;
	s->gone = *why;
	s->again_ms = now_ms() + AGAIN_MS;
}

/* look_again - for a daemon that has gone. It has until its first answer to be there again: one
 * that is just starting listens before it has anything to say. */
static void look_again(struct top_source *s)
{
	struct error why;

	if (control_client_open(s->cfg, &s->live, &why) < 0 || subscribe(s, &why) < 0)
		lose(s, &why);
}

int top_source_next(struct top_source *s, json_t **ret, struct error *err)
{
	bool ours = s->folder[0];
	int r;

	if (!s->live && !top_source_wait_ms(s))
		look_again(s);
	if (!s->live)
		return 0;
	r = control_client_read(s->live, 0, ret, err);
	if (r > 0)
		s->gone.text[0] = '\0';
	if (r >= 0)
		return r;
	if (ours) {
		child_ended(s, err); /* it may have said why */
		return r;
	}
	lose(s, err);
	return 0;
}

int top_source_alert(struct top_source *s, const char *id, json_t **ret, struct error *err)
{
	struct control_client *c = NULL;
	char request[128];
	json_t *answer = NULL;
	int r = control_client_open(s->cfg, &c, err);

	snprintf(request, sizeof(request), "{\"get\":\"alerts\",\"id\":\"%.64s\"}", id);
	if (!r)
		r = control_client_ask(c, request, err);
	if (!r)
		r = control_client_read(c, ANSWER_MS, &answer, err);
	control_client_close(c);
	if (r < 0)
		return r;
	if (!r || strcmp(json_string_value(json_object_get(answer, "type")) ?: "", "alert") != 0) {
		if (r)
			json_decref(answer);
		return error_set(err, -ENOENT, EXIT_RUNTIME,
				 "the daemon does not know alert %s any "
				 "more",
				 id);
	}
	*ret = answer;
	return 0;
}
