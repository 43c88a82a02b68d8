# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# reconmon: every entry point. `make help` lists them. Everything built is below $(BUILD).

CC	 ?= cc
CLANG	 ?= clang
BPFTOOL	 ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
PREFIX	 ?= /usr/local
DESTDIR	 ?=
BUILD	 ?= build
# Which store the daemon is built over: nursery (ships) or lru (the reference, `make lru`).
STORE	 ?= nursery
VERSION	 := 0.1.0

CFLAGS	 ?= -O2 -g
# The daemon is optimised as a whole; tests link the same objects one by one, which is faster.
LTO	 := $(if $(findstring Free Software,$(shell $(CC) --version)),-flto=auto -ffat-lto-objects)
TEST_LTO	 := -fno-lto
WARN	 := -std=gnu11 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
HARDEN	 := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CPPFLAGS += -D_GNU_SOURCE -DRECONMON_VERSION='"$(VERSION)"' -Iinclude -I$(BUILD) -Iuser -MMD -MP
LDLIBS	 := -lbpf -lelf -lz -ljansson -lmnl -lyaml -lncursesw -ltinfo -lpthread -ldl
LDFLAGS	 += -pie -Wl,-z,relro,-z,now
ifdef SAN
CFLAGS	 := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
HARDEN	 := -fPIE
LTO	 :=
endif
ifdef FUZZ
CC	 := $(CLANG)
CFLAGS	 := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
HARDEN	 := -fPIE
LTO	 :=
endif

BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -Wall -Wextra -Werror -Wimplicit-int-conversion \
	      -Iinclude -Ivmlinux

Q := $(if $(V),,@)
comma := ,
say = $(if $(V),@:,@printf '  %-8s %s\n' $(1) $(2))

OBJ	  := $(BUILD)/obj-$(STORE)
STORE_SRC := $(if $(filter lru,$(STORE)),user/sweep_lru.c,user/sweep.c)
SRCS	  := $(filter-out user/main.c user/sweep.c user/sweep_lru.c,$(wildcard user/*.c)) $(STORE_SRC)
OBJS	  := $(SRCS:user/%.c=$(OBJ)/%.o)
BIN	  := $(BUILD)/reconmon$(if $(filter lru,$(STORE)),-lru)
SKEL	  := $(OBJ)/reconmon.skel.h

UNIT	  := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
TSAN	  := $(BUILD)/tests/unit/test_nursery_tsan $(BUILD)/tests/unit/test_ticks_tsan
BPFTESTS  := $(patsubst tests/bpf/%.c,$(BUILD)/tests/bpf/%,$(wildcard tests/bpf/test_*.c)) \
	     $(BUILD)/tests/bpf/test_track_bpf_lru $(BUILD)/tests/bpf/test_captures_lru
FUZZERS	  := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCHES	  := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(wildcard tests/bench/bench_*.c))

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.PHONY: all deb deps test unit unit-san bpf-tests e2e test-kernel bench lint format install uninstall \
	vmlinux clean help lru bpf-arm64 check-clean fuzz fuzz-long fuzz-bins

all: $(BIN) ## build the daemon: build/reconmon, one file to copy

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

deps: ## install from Debian what build and tests need (as root)
	sh tests/deps.sh

# --- BPF: object, skeleton ---------------------------------------------------------------------

BPF_HDRS := $(wildcard bpf/*.h include/reconmon/*.h vmlinux/vmlinux.h)
BPF_SRC_nursery := bpf/reconmon.bpf.c
BPF_SRC_lru	:= bpf/reconmon_lru.bpf.c

# The object carries BTF of its own (for map types); the DWARF beside it is not needed.
$(BUILD)/obj-%/reconmon.bpf.o: bpf/reconmon.bpf.c bpf/reconmon_lru.bpf.c $(BPF_HDRS)
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $(BPF_SRC_$*) -o $@.tmp
	$(Q)$(BPFTOOL) gen object $@ $@.tmp && rm -f $@.tmp

# Both stores make a skeleton of the same name, so that load.c is written once.
$(BUILD)/obj-%/reconmon.skel.h: $(BUILD)/obj-%/reconmon.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name reconmon_bpf > $@

bpf-arm64: ## compile the BPF objects as for arm64 (they are the same bytes but for the target macro)
	@mkdir -p $(BUILD)
	$(Q)for s in reconmon reconmon_lru; do \
		$(CLANG) $(BPF_CFLAGS) -D__TARGET_ARCH_arm64 -c bpf/$$s.bpf.c -o $(BUILD)/$$s.arm64.bpf.o || exit 1; \
	done

vmlinux: ## regenerate vmlinux/vmlinux.h from the running kernel's BTF
	$(BPFTOOL) btf dump file /sys/kernel/btf/vmlinux format c | python3 vmlinux/generate.py > vmlinux/vmlinux.h.new
	mv vmlinux/vmlinux.h.new vmlinux/vmlinux.h

# --- the daemon --------------------------------------------------------------------------------

$(OBJ)/%.o: user/%.c $(SKEL)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) -I$(OBJ) $(WARN) $(HARDEN) $(CFLAGS) $(LTO) -c $< -o $@

# Style and script of `reconmon report` are taken in as they are.
$(OBJ)/report_assets.o: $(wildcard user/report/*)

$(BIN): $(OBJ)/main.o $(OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LTO) $(LDFLAGS) $^ $(LDLIBS) -o $@

# For tests: the daemon with another version or layout (OTHER_FLAGS), as $(OTHER). What is not compiled
# anew is this build's.
other-build: $(OBJ)/main.o $(OBJS)
	$(Q)$(CC) $(filter-out -MMD -MP -DRECONMON_VERSION=%,$(CPPFLAGS)) $(if $(findstring VERSION,$(OTHER_FLAGS)),,-DRECONMON_VERSION='"$(VERSION)"') \
		$(OTHER_FLAGS) -I$(OBJ) $(WARN) $(HARDEN) $(CFLAGS) $(TEST_LTO) $(LDFLAGS) user/cli.c user/pin.c \
		$(filter-out $(OBJ)/cli.o $(OBJ)/pin.o,$^) $(LDLIBS) -o $(OTHER)
.PHONY: other-build

lru: ## build/reconmon-lru: the reference daemon, a plain LRU map in the nursery's place
	$(Q)$(MAKE) --no-print-directory STORE=lru all

# --- tests -------------------------------------------------------------------------------------

$(BUILD)/tests/%: tests/%.c $(OBJS) $(SKEL)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) -I$(OBJ) -Itests $(WARN) $(HARDEN) $(CFLAGS) $(TEST_LTO) $(LDFLAGS) $< $(OBJS) $(LDLIBS) -lcmocka -lpthread -lm -o $@

# The nursery under threads, once more under ThreadSanitizer.
$(BUILD)/tests/unit/test_nursery_tsan: tests/unit/test_nursery.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) -Itests $(WARN) -fPIE -pie -O1 -g -fsanitize=thread $< -lcmocka -lpthread -o $@

# Likewise what passes between the two threads of a replay.
$(BUILD)/tests/unit/test_ticks_tsan: tests/unit/test_ticks.c user/ticks.c user/pieces.c user/ticks.h user/pieces.h user/engine.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(filter-out -MMD -MP,$(CPPFLAGS)) -DTICKS_ALONE $(WARN) -fPIE -pie -O1 -g -fsanitize=thread $(filter %.c,$^) -lcmocka -lpthread -o $@

# What looks at the BPF side alone needs a skeleton and nothing of the daemon. Tests whose name ends
# in _lru are the same source over the LRU store.
BPFTEST_CC = $(CC) $(CPPFLAGS) -Itests $(WARN) $(HARDEN) $(CFLAGS) $(TEST_LTO) $(LDFLAGS)

$(BUILD)/tests/bpf/%: tests/bpf/%.c $(BUILD)/obj-nursery/reconmon.skel.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(BPFTEST_CC) -I$(BUILD)/obj-nursery $< $(LDLIBS) -lcmocka -lpthread -lm -o $@

$(BUILD)/tests/bpf/%_lru: tests/bpf/%.c $(BUILD)/obj-lru/reconmon.skel.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(BPFTEST_CC) -DSTORE_LRU -I$(BUILD)/obj-lru $< $(LDLIBS) -lcmocka -lpthread -lm -o $@

# The captures' test has programs with a clock of its own, and around them the daemon: what of that
# holds a skeleton is compiled anew with the test. --wrap shows it what passes between the stages.
CAPTURES_BPF_lru := -DSTORE_LRU
CAPTURES_WRAP	 := pieces_add_attempt pieces_add_contact sweep_nursery engine_flush counters_lost ticks_new output_emit
CAPTURES_SRC	 := user/attach.c user/doctor_host.c user/drain.c user/load.c user/watch.c user/watch_ifaces.c
CAPTURES_OBJS	 := $(filter-out $(CAPTURES_SRC:user/%.c=$(OBJ)/%.o) $(OBJ)/sweep.o $(OBJ)/sweep_lru.o,$(OBJS))

$(BUILD)/tests/bpf/captures-%/reconmon.skel.h: tests/bpf/captures.bpf.c bpf/reconmon.bpf.c $(BPF_HDRS)
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(CAPTURES_BPF_$*) -c $< -o $(@:.skel.h=.bpf.o.tmp)
	$(Q)$(BPFTOOL) gen object $(@:.skel.h=.bpf.o) $(@:.skel.h=.bpf.o.tmp)
	$(Q)$(BPFTOOL) gen skeleton $(@:.skel.h=.bpf.o) name reconmon_bpf > $@

CAPTURES_CC = $(BPFTEST_CC) $(addprefix -Wl$(comma)--wrap=,$(CAPTURES_WRAP))

$(BUILD)/tests/bpf/test_captures: tests/bpf/test_captures.c $(CAPTURES_SRC) user/sweep.c $(CAPTURES_OBJS) \
		$(BUILD)/tests/bpf/captures-nursery/reconmon.skel.h
	$(call say,CC,$@)
	$(Q)$(CAPTURES_CC) -I$(BUILD)/tests/bpf/captures-nursery $(filter %.c %.o,$^) $(LDLIBS) -lcmocka -o $@

$(BUILD)/tests/bpf/test_captures_lru: tests/bpf/test_captures.c $(CAPTURES_SRC) user/sweep_lru.c $(CAPTURES_OBJS) \
		$(BUILD)/tests/bpf/captures-lru/reconmon.skel.h
	$(call say,CC,$@)
	$(Q)$(CAPTURES_CC) -DSTORE_LRU -I$(BUILD)/tests/bpf/captures-lru $(filter %.c %.o,$^) $(LDLIBS) -lcmocka -o $@

# Likewise the test of floods, whose packets are made by a program.
$(BUILD)/tests/bpf/flood/reconmon.skel.h: tests/bpf/flood.bpf.c tests/bpf/flood_plan.h bpf/reconmon.bpf.c $(BPF_HDRS)
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -Itests/bpf -c $< -o $(@:.skel.h=.bpf.o.tmp)
	$(Q)$(BPFTOOL) gen object $(@:.skel.h=.bpf.o) $(@:.skel.h=.bpf.o.tmp)
	$(Q)$(BPFTOOL) gen skeleton $(@:.skel.h=.bpf.o) name reconmon_bpf > $@

$(BUILD)/tests/bpf/test_flood: tests/bpf/test_flood.c $(BUILD)/tests/bpf/flood/reconmon.skel.h
	$(call say,CC,$@)
	$(Q)$(BPFTEST_CC) -I$(BUILD)/tests/bpf/flood $< $(LDLIBS) -lcmocka -lpthread -o $@

# The benchmark's BPF side includes the real one and measures it over both stores.
BENCH_STORE_lru := -DSTORE_LRU

$(BUILD)/tests/bench/path_%.skel.h: tests/bench/path.bpf.c tests/bench/path.h bpf/reconmon.bpf.c $(BPF_HDRS)
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -Itests/bench $(BENCH_STORE_$*) -c $< -o $(@:.skel.h=.bpf.o)
	$(Q)$(BPFTOOL) gen skeleton $(@:.skel.h=.bpf.o) name path_$* > $@

$(BUILD)/tests/bench/make_capture $(BUILD)/tests/bench/shortconn: $(BUILD)/tests/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -D_GNU_SOURCE -MMD -MP $(WARN) $(HARDEN) $(CFLAGS) $(LDFLAGS) $< -o $@

$(BUILD)/tests/bench/bench_path: tests/bench/bench_path.c $(BUILD)/tests/bench/path_nursery.skel.h 		$(BUILD)/tests/bench/path_lru.skel.h
	$(call say,CC,$@)
	$(Q)$(BPFTEST_CC) -I$(@D) $< $(LDLIBS) -o $@

$(BUILD)/tests/bench/bench_engine: private LDLIBS += -lm
$(BUILD)/tests/bench/bench_engine $(BUILD)/tests/bench/bench_drain: private TEST_LTO := $(LTO) -Wno-maybe-uninitialized

# The fuzzers, and what makes their first inputs: the daemon's own files, built once more by clang.
$(BUILD)/tests/fuzz/fuzz_%: private LDFLAGS += -fsanitize=fuzzer

FUZZ_SECONDS ?= 60

ifdef FUZZ
fuzz-bins: $(FUZZERS) $(BUILD)/tests/fuzz/seeds
else
fuzz-bins:
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz FUZZ=1 fuzz-bins
endif

fuzz: fuzz-bins ## libFuzzer over parser, state machine, captures, logs and texts: FUZZ_SECONDS=60 each
	$(Q)tests/fuzz/run.sh $(BUILD)/fuzz/tests/fuzz $(BUILD)/fuzz -max_total_time=$(FUZZ_SECONDS)

fuzz-long: ## the same for two hours each
	$(Q)$(MAKE) --no-print-directory FUZZ_SECONDS=7200 fuzz

unit: $(UNIT) $(TSAN) ## unit tests
	$(Q)tests/run $(UNIT) $(TSAN)

unit-san: ## unit tests under ASan and UBSan
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/san SAN=1 unit

bpf-tests: $(BPFTESTS) ## the BPF programs under test runs (root)
	$(Q)tests/run $(BPFTESTS)

e2e: all lru ## real scanners and innocent work in network namespaces (root)
	$(Q)RECONMON=$(abspath $(BIN)) tests/run $(sort $(wildcard tests/e2e/test_*.sh))

test-kernel: all ## load, attach and catch a scan in Debian's own kernel under qemu
	$(Q)RECONMON=$(abspath $(BIN)) tests/run tests/kernel/test_kernel.sh

# All that is built, on every processor; then the tests: two at a time, for most of them wait more
# than they work, but those alone that measure, load or start the machine's own services. Beside the
# others, with what they leave of the processors, lint.
JOBS	  := $(shell nproc)
E2E	  := $(sort $(wildcard tests/e2e/test_*.sh))
E2E_ALONE := $(filter $(foreach t,churn flood owner package restart service,tests/e2e/test_$t.sh),$(E2E))

test: ## everything; ends with a line that counts
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) test-bins
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) lru
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) BUILD=$(BUILD)/san SAN=1 san-bins
	$(Q)RECONMON=$(abspath $(BIN)) RECONMON_LRU=$(abspath $(BUILD)/reconmon-lru) tests/run \
		-b tests/lint.sh \
		-j $(JOBS) $(UNIT) $(TSAN) $(UNIT:$(BUILD)/%=$(BUILD)/san/%) \
		-j 1 $(BPFTESTS) tests/fuzz/test_fuzz.sh \
		-j 2 $(sort $(wildcard tests/conformance/test_*.sh)) $(filter-out $(E2E_ALONE),$(E2E)) \
		-w -j 1 $(E2E_ALONE) tests/kernel/test_kernel.sh

test-bins: all $(UNIT) $(TSAN) $(BPFTESTS) bpf-arm64 fuzz-bins
san-bins: $(UNIT)
.PHONY: test-bins san-bins

bench: all lru $(BENCHES) $(BUILD)/tests/bench/make_capture $(BUILD)/tests/bench/shortconn ## measure: cost a packet, time to the alert, replay; prints a table
	$(Q)RECONMON=$(abspath $(BIN)) BUILD=$(abspath $(BUILD)) tests/bench/bench.sh $(ONLY)

lint: ## clang-format, clang-tidy, shellcheck
	$(Q)tests/lint.sh

FORMATTED := $(wildcard bpf/*.[ch] include/reconmon/*.h user/*.[ch] tests/*.h tests/*/*.[ch])
format: ## reformat the C files
	clang-format -i $(FORMATTED)

# --- install -----------------------------------------------------------------------------------

# The rest of what is installed, as FILE:WHERE, beside the binary, whose path the unit names.
SYSCONFDIR ?= /etc
UNITDIR	   ?= $(PREFIX)/lib/systemd/system
BASHDIR	   ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR	   ?= $(PREFIX)/share/zsh/site-functions
DOCDIR	   := $(PREFIX)/share/doc/reconmon
DATADIR	   := $(PREFIX)/share/reconmon
INSTALLED  := docs/reconmon.8:$(PREFIX)/share/man/man8/reconmon.8 \
	      docs/reconmon.yaml.5:$(PREFIX)/share/man/man5/reconmon.yaml.5 \
	      deploy/completions/reconmon.bash:$(BASHDIR)/reconmon \
	      deploy/completions/_reconmon:$(ZSHDIR)/_reconmon \
	      deploy/logrotate/reconmon:$(SYSCONFDIR)/logrotate.d/reconmon \
	      deploy/sysusers/reconmon.conf:$(PREFIX)/lib/sysusers.d/reconmon.conf \
	      README.md:$(DOCDIR)/README.md \
	      $(foreach d,$(wildcard docs/*.md),$(d):$(DOCDIR)/$(notdir $(d))) \
	      $(foreach d,$(wildcard deploy/elasticsearch/*.json),$(d):$(DATADIR)/elasticsearch/$(notdir $(d))) \
	      $(foreach f,$(shell cd deploy && find splunk -type f),deploy/$(f):$(DATADIR)/$(f)) \
	      deploy/prometheus/reconmon.rules.yaml:$(DATADIR)/prometheus/reconmon.rules.yaml \
	      deploy/grafana/reconmon.json:$(DATADIR)/grafana/reconmon.json \
	      $(foreach l,$(wildcard LICENSE*),$(l):$(DOCDIR)/$(l))
UNIT_FILE  := deploy/systemd/reconmon.service

install: all ## install below DESTDIR/PREFIX, unit and manuals too; a configuration that is there stays
	install -D -m 0755 $(BIN) $(DESTDIR)$(PREFIX)/sbin/reconmon
	$(Q)for f in $(INSTALLED); do \
		install -D -m 0644 "$${f%%:*}" "$(DESTDIR)$${f#*:}" || exit 1; \
	done
	$(Q)install -d $(DESTDIR)$(UNITDIR) && \
		sed 's|/usr/sbin/reconmon|$(PREFIX)/sbin/reconmon|' $(UNIT_FILE) \
			> $(DESTDIR)$(UNITDIR)/reconmon.service
	$(Q)[ -e $(DESTDIR)$(SYSCONFDIR)/reconmon/reconmon.yaml ] || \
		install -D -m 0644 deploy/reconmon.yaml $(DESTDIR)$(SYSCONFDIR)/reconmon/reconmon.yaml

uninstall: ## remove what install put there, but for the configuration
	rm -f $(DESTDIR)$(PREFIX)/sbin/reconmon $(DESTDIR)$(UNITDIR)/reconmon.service
	$(Q)for f in $(INSTALLED); do rm -f "$(DESTDIR)$${f#*:}"; done
	rm -rf $(DESTDIR)$(DOCDIR) $(DESTDIR)$(DATADIR)

# A Debian package of these sources as they are. Its own tests are `make test`.
DEB := $(BUILD)/deb
deb: ## build the Debian package: build/deb/reconmon_VERSION_ARCH.deb
	$(Q)rm -rf $(DEB) && mkdir -p $(DEB)/reconmon
	$(Q)tar -c --exclude=./build --exclude=./.git . | tar -x -C $(DEB)/reconmon
	$(Q)cp -r deploy/debian $(DEB)/reconmon/debian
	$(Q)[ "$$(cd $(DEB)/reconmon && dpkg-parsechangelog -S Version)" = "$(VERSION)" ] || \
		{ echo "deploy/debian/changelog is not about version $(VERSION)" >&2; exit 1; }
	$(Q)cd $(DEB)/reconmon && env -u MAKEFLAGS -u MFLAGS -u BUILD -u PREFIX -u DESTDIR \
		DEB_BUILD_OPTIONS="parallel=$(JOBS) nocheck $(DEB_BUILD_OPTIONS)" dpkg-buildpackage -us -uc -b
	$(Q)ls $(DEB)/*.deb

clean: ## remove everything built
	rm -rf $(BUILD)

-include $(wildcard $(OBJ)/*.d $(BUILD)/tests/*/*.d)
