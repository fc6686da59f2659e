# nestbox: a statically linked init for sandboxes
#
# Variables: LIBC=musl|glibc CC HOSTCC CFLAGS LDFLAGS DESTDIR PREFIX

LIBC    ?= musl
PREFIX  ?= /usr/local
HOSTCC  ?= gcc
B       := build/$(LIBC)
GEN     := build/generated
HELPERS := build/helpers

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wundef -Wformat=2 -Wvla
ifdef CI
WARNINGS += -Werror
endif

ifeq ($(origin CC),default)
CC := $(if $(filter musl,$(LIBC)),musl-gcc,gcc)
endif
CFLAGS  ?= -O2 -g
HARDEN  := -fstack-protector-strong -D_FORTIFY_SOURCE=2
ifeq ($(LIBC),musl)
# The kernel's headers, behind musl's own. With -idirafter nothing of glibc's gets in front.
LIBC_FLAGS := -idirafter /usr/include -idirafter /usr/include/$(shell $(HOSTCC) -print-multiarch 2>/dev/null)
LINK    := -static
SOURCES_MORE := filters/musl/fortify.c
else ifeq ($(LIBC),sanitize)
LIBC_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SOURCES_MORE := tests/lib/sanitize/options.c
LINK    := -fsanitize=address,undefined
HARDEN  :=
else
LINK    := -static
endif
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE -I. -I$(GEN) $(WARNINGS) $(HARDEN) $(LIBC_FLAGS) $(CFLAGS)

# For users' profiles. By their files: in their directory there is a C library, too, which need not be ours.
LIBRARY_CC := $(if $(findstring musl-gcc,$(CC)),$(HOSTCC),$(CC))
ifeq ($(LIBC),sanitize)
LIBRARIES  ?= -lseccomp -ljansson
else
LIBRARIES  ?= $(foreach name,seccomp jansson,$(shell $(LIBRARY_CC) -print-file-name=lib$(name).a))
endif

COMPILER_SOURCES := $(addprefix filters/,compile.c generate.c profile.c resolve.c)
SOURCES := $(filter-out $(COMPILER_SOURCES),$(wildcard init/*.c mountns/*.c filters/*.c))
OBJECTS := $(SOURCES:%.c=$(B)/%.o) $(SOURCES_MORE:%.c=$(B)/%.o)
PROFILES := $(wildcard filters/*.profile)
RULES    := $(wildcard filters/*.rules)

.PHONY: all
all: $(B)/nestbox $(B)/libnestbox.a ## build program and library, statically linked with LIBC=musl or glibc

.DELETE_ON_ERROR:
.SECONDARY:

# V=1 shows the commands, make -s nothing.
ifneq ($(V),1)
Q = @$(if $(findstring s,$(firstword -$(MAKEFLAGS))),,echo '  $(if $(filter %.o,$@),CC,LD) $@';)
endif

# A dynamic program would be useless in an empty image, and some tool chains make one silently.
$(B)/nestbox: $(OBJECTS)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(LINK) -o $@ $^ $(LIBRARIES)
ifneq ($(LIBC),sanitize)
	@if readelf -lW $@ | grep -q INTERP; then echo '$@ has an interpreter'; rm $@; exit 1; fi
endif

GENERATED := $(GEN)/filters_generated.h $(GEN)/licence.h

$(B)/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/filters/filter.o $(B)/filters/look.o: $(GEN)/filters_generated.h

-include $(OBJECTS:.o=.d)

# --- The library ------------------------------------------------------------------------------------

# It carries the program in itself. One that is not static would be of no use there.
LIBRARY_SOURCES := $(wildcard init/library/*.c) init/clone.c init/descriptors.c
LIBRARY_OBJECTS := $(LIBRARY_SOURCES:%.c=$(B)/pic/%.o) $(B)/pic/program.o
ifeq ($(LIBC),sanitize)
CARRIED := build/musl/nestbox.stripped
$(CARRIED): FORCE
	@$(MAKE) -s LIBC=musl $@
FORCE:
else
CARRIED := $(B)/nestbox.stripped
endif
TOOL = $(shell $(CC) -print-prog-name=$(1))

$(B)/nestbox.stripped: $(OBJECTS)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(LINK) -s -o $@ $^ $(LIBRARIES)

$(B)/pic/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -fPIC -MMD -MP -c -o $@ $<

$(B)/pic/program.o: init/library/program.S $(CARRIED)
	@mkdir -p $(@D)
	$(Q)$(CC) -DNESTBOX_BLOB='"$(CARRIED)"' -c -o $@ $<

# Only what the header names is to be seen from outside.
$(B)/libnestbox.a: $(LIBRARY_OBJECTS)
	$(Q)$(CC) -nostdlib -r -o $(B)/libnestbox.o $^
	@$(call TOOL,objcopy) --wildcard --keep-global-symbol='nestbox_*' $(B)/libnestbox.o
	@rm -f $@
	@$(call TOOL,ar) rcs $@ $(B)/libnestbox.o

-include $(LIBRARY_OBJECTS:.o=.d)

# The profiles become BPF at build time, with the names and numbers that libseccomp knows.
$(GEN)/compile: $(COMPILER_SOURCES) $(wildcard filters/*.h)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu11 -D_GNU_SOURCE -I. $(WARNINGS) -O1 -g -o $@ $(COMPILER_SOURCES) -lseccomp

$(GEN)/filters_generated.h: $(GEN)/compile $(PROFILES) $(RULES)
	@$(GEN)/compile $(PROFILES) >$@

# The licence as a C string, for the programs that print it.
$(GEN)/licence.h: LICENSE
	@mkdir -p $(@D)
	@{ echo 'static const char licence_text[] ='; sed 's/["\\]/\\&/g; s/.*/"&\\n"/' $<; echo ';'; } >$@

# Completions of the shells, from the option table.
COMPLETIONS := $(patsubst %,$(GEN)/completion.%,bash zsh fish)

$(GEN)/completion: init/completion/generate.c init/options.def
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu11 -D_GNU_SOURCE -I. $(WARNINGS) -O1 -g -o $@ $<

$(GEN)/completion.%: $(GEN)/completion
	@$(GEN)/completion $* >$@

# --- Programs of the tests -------------------------------------------------------------------------

STATIC_CC := musl-gcc -std=gnu11 -D_GNU_SOURCE -I. $(WARNINGS) -O2 -static \
             -idirafter /usr/include -idirafter /usr/include/$(shell $(HOSTCC) -print-multiarch 2>/dev/null)
TEST_PROGRAMS := $(patsubst tests/lib/%.c,$(HELPERS)/%,$(filter-out tests/lib/bpf.c tests/lib/oracle.c,$(wildcard tests/lib/*.c))) \
                 $(patsubst tests/escape/%.c,$(HELPERS)/%,$(wildcard tests/escape/*.c))
BENCH_PROGRAMS := build/bench/floor build/bench/noop build/bench/spin build/bench/opens build/bench/files
ifeq ($(LIBC),musl)
BENCH_PROGRAMS += build/bench/start
endif

$(HELPERS)/%: tests/lib/%.c
	@mkdir -p $(@D)
	$(Q)$(STATIC_CC) -pthread -o $@ $<

$(HELPERS)/refused: tests/lib/refused.c tests/lib/bpf.c filters/filter.c $(GEN)/filters_generated.h
	@mkdir -p $(@D)
	$(Q)$(STATIC_CC) -I$(GEN) -o $@ $(filter %.c,$^)

$(HELPERS)/%: tests/escape/%.c
	@mkdir -p $(@D)
	$(Q)$(STATIC_CC) -pthread -o $@ $<

build/bench/floor: tests/bench/floor.c filters/filter.c init/clone.c $(GEN)/filters_generated.h
	@mkdir -p $(@D)
	$(Q)$(STATIC_CC) -I$(GEN) -o $@ $(filter %.c,$^)

build/bench/start: tests/bench/start.c build/musl/libnestbox.a
	@mkdir -p $(@D)
	$(Q)$(STATIC_CC) -o $@ $^

build/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(Q)$(STATIC_CC) -o $@ $<

COW_PROGRAMS := build/cow/manifest build/cow/steps
build/cow/%: tests/cow/%.c
	@mkdir -p $(@D)
	$(Q)$(STATIC_CC) -o $@ $<

# Programs that use the library: linked with musl and with glibc where that can be, or with the sanitizers.
HOST_CC := $(HOSTCC) -std=gnu11 -D_GNU_SOURCE -I. $(WARNINGS) -O2 -g -pthread
HOSTS := $(if $(filter musl,$(LIBC)),$(B)/library/host-musl) $(B)/library/host-$(LIBC:musl=glibc) \
         $(B)/library/letters $(if $(filter-out sanitize,$(LIBC)),$(B)/library/interpose)

$(B)/library/letters: tests/library/letters.c
	@mkdir -p $(@D)
	$(Q)$(STATIC_CC) -o $@ $<

$(B)/library/host-musl: tests/library/host.c $(B)/libnestbox.a
	@mkdir -p $(@D)
	$(Q)$(STATIC_CC) -pthread -o $@ $^

$(B)/library/host-glibc: tests/library/host.c $(B)/libnestbox.a
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) -o $@ $^

# Its definitions are not declared as libc's are, and are everybody's.
$(B)/library/interpose: tests/library/interpose.c $(B)/libnestbox.a
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) -fno-builtin -Wno-missing-prototypes -Wno-pedantic -rdynamic -o $@ $^ -ldl

$(B)/library/host-sanitize: tests/library/host.c $(B)/libnestbox.a
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(LIBC_FLAGS) -o $@ $^

# Units: host compiler, dynamic, with address and undefined-behaviour sanitizers.
UNIT_CFLAGS := -std=gnu11 -D_GNU_SOURCE -I. -I$(GEN) $(WARNINGS) -O1 -g -fsanitize=address,undefined \
               -fno-sanitize-recover=all
UNIT_OBJECTS := $(patsubst %.c,build/units/%.o,$(filter-out init/main.c,$(SOURCES)) \
                  $(filter-out filters/compile.c,$(COMPILER_SOURCES)) \
                  $(wildcard init/library/*.c) \
                  tests/lib/bpf.c tests/lib/oracle.c)
UNITS := $(patsubst tests/unit/%.c,build/units/%,$(wildcard tests/unit/*_test.c))

build/units/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(UNIT_CFLAGS) -MMD -MP -c -o $@ $<

# There the program is any file.
build/units/program.o: init/library/program.S
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -DNESTBOX_BLOB='"LICENSE"' -c -o $@ $<

build/units/%_test: tests/unit/%_test.c $(UNIT_OBJECTS) build/units/program.o
	$(Q)$(HOSTCC) $(UNIT_CFLAGS) -MMD -MP -o $@ $^ -lcmocka -lseccomp -ljansson

-include $(UNIT_OBJECTS:.o=.d)

# --- What people call ------------------------------------------------------------------------------

.PHONY: deps demo check unit e2e cow nest fuzz lint sanitize bench syscalls-list man install clean help size

deps: ## install what the build and the tests need (Debian packages)
	@tests/deps

demo: deps ## build, and show a box doing its main job on real programs
	@$(MAKE) -s all
	@tests/demo

check: deps ## run every test, against the musl and the glibc build
	@$(MAKE) -s LIBC=musl all
	@$(MAKE) -s LIBC=glibc all
	@$(MAKE) -s size lint unit e2e
	@$(MAKE) -s cow
	@$(MAKE) -s LIBC=glibc e2e
	@$(MAKE) -s sanitize

unit: $(UNITS) ## unit tests
	@CMOCKA_MESSAGE_OUTPUT=TAP tests/run $(UNITS)

e2e: $(B)/nestbox $(HOSTS) $(TEST_PROGRAMS) $(BENCH_PROGRAMS) ## tests of the command, as root and as an ordinary user (LIBC=…)
	@tests/e2e/run $(B)/nestbox

nest: deps $(B)/nestbox $(TEST_PROGRAMS) ## in Docker, Podman, LXC and others, beside bubblewrap (what is not installed is unpacked, 60 MB)
	@tests/nest/deps
	@NESTBOX=$(abspath $(B)/nestbox) tests/nest/run

cow: $(B)/nestbox $(TEST_PROGRAMS) $(COW_PROGRAMS) ## copy-on-write against a plain directory (COW_STEPS=20000 COW_SEEDS="1 2")
	@tests/cow/deps
	@tests/e2e/run $(B)/nestbox cow

sanitize: ## the same with address and undefined-behaviour sanitizers
	@$(MAKE) -s LIBC=sanitize e2e

# Needs clang, which nothing else here does.
FUZZ_SECONDS ?= 60
build/fuzz/%: tests/fuzz/%.c filters/oci.c filters/document.c filters/errnos.c
	@mkdir -p $(@D)
	$(Q)clang -std=gnu11 -D_GNU_SOURCE -I. -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $^ -lseccomp -ljansson

fuzz: build/fuzz/oci ## feed random input to the parser of users' profiles (FUZZ_SECONDS=60)
	@mkdir -p build/fuzz/corpus build/fuzz/seeds
	@cp build/taken/*.json build/fuzz/seeds/ 2>/dev/null || true
	@build/fuzz/oci -max_total_time=$(FUZZ_SECONDS) -max_len=20000 -timeout=10 -verbosity=0 \
		-artifact_prefix=build/fuzz/ build/fuzz/corpus build/fuzz/seeds \
		2>build/fuzz/log || { tail -n 30 build/fuzz/log; exit 1; }

lint: $(GENERATED) $(GEN)/options ## static checks of code, scripts and man page
	@tests/lint

bench: $(B)/nestbox $(BENCH_PROGRAMS) $(HELPERS)/deny ## how long a start takes: ratios to the floor, bubblewrap and tini
	@NESTBOX=$(B)/nestbox tests/bench/run
	@NESTBOX=$(B)/nestbox tests/bench/scale
	@NESTBOX=$(abspath $(B)/nestbox) tests/bench/idle
	@NESTBOX=$(abspath $(B)/nestbox) tests/bench/append
	@NESTBOX=$(abspath $(B)/nestbox) tests/bench/cow
	$(if $(filter musl,$(LIBC)),@NESTBOX=$(abspath $(B)/nestbox) tests/bench/library)

syscalls-list: $(B)/nestbox $(BENCH_PROGRAMS) ## write the list of system calls that a start may make
	@tests/lib/count-syscalls >$(B)/syscalls.list && mv $(B)/syscalls.list tests/e2e/

size: ## the sizes of both builds
	@for libc in musl glibc; do \
		strip -o build/stripped build/$$libc/nestbox; \
		printf "%s: %s bytes, stripped %s\n" $$libc \
			$$(stat -c %s build/$$libc/nestbox build/stripped); \
	done; rm build/stripped

$(GEN)/options: tests/lib/mdoc/options.c $(filter-out $(B)/init/main.o,$(OBJECTS))
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK) -o $@ $^ $(LIBRARIES)

man: $(GEN)/options ## write the option list of the man page anew
	@tests/lib/mdoc/update nestbox.1

install: all $(COMPLETIONS) ## install program, library, man pages and completions (DESTDIR, PREFIX)
	install -D -m 0755 $(B)/nestbox $(DESTDIR)$(PREFIX)/bin/nestbox
	install -D -m 0644 nestbox.1 $(DESTDIR)$(PREFIX)/share/man/man1/nestbox.1
	install -D -m 0644 $(B)/libnestbox.a $(DESTDIR)$(PREFIX)/lib/libnestbox.a
	install -D -m 0644 init/nestbox.h $(DESTDIR)$(PREFIX)/include/nestbox.h
	install -D -m 0644 nestbox.3 $(DESTDIR)$(PREFIX)/share/man/man3/nestbox.3
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig
	sed -e 's,@PREFIX@,$(PREFIX),' \
		-e "s,@VERSION@,$$(sed -n 's/#define NESTBOX_VERSION "\(.*\)"/\1/p' init/nestbox.h)," \
		init/library/nestbox.pc.in >$(DESTDIR)$(PREFIX)/lib/pkgconfig/nestbox.pc
	install -D -m 0644 $(GEN)/completion.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/nestbox
	install -D -m 0644 $(GEN)/completion.zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_nestbox
	install -D -m 0644 $(GEN)/completion.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/nestbox.fish

clean: ## remove what was built
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | \
		while IFS="$$(printf '\t')" read -r name text; do printf '  %-14s %s\n' "$$name" "$$text"; done
