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
LIBC_FLAGS := -idirafter /usr/include -idirafter /usr/include/$(shell $(HOSTCC) -print-multiarch)
LINK    := -static
else ifeq ($(LIBC),sanitize)
LIBC_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LINK    := -fsanitize=address,undefined
HARDEN  :=
else
LINK    := -static
endif
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE -I. -I$(GEN) $(WARNINGS) $(HARDEN) $(LIBC_FLAGS) $(CFLAGS)

SOURCES := $(wildcard init/*.c mountns/*.c) filters/filter.c
OBJECTS := $(SOURCES:%.c=$(B)/%.o)
COMPILER_SOURCES := $(filter-out filters/filter.c,$(wildcard filters/*.c))
PROFILES := $(wildcard filters/*.profile)

.PHONY: all
all: $(B)/nestbox ## build the program, statically linked with LIBC=musl or glibc

.DELETE_ON_ERROR:

# A dynamic program would be useless in an empty image, and some tool chains make one silently.
$(B)/nestbox: $(OBJECTS)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(LINK) -o $@ $^
ifneq ($(LIBC),sanitize)
	@if readelf -lW $@ | grep -q INTERP; then echo '$@ has an interpreter'; rm $@; exit 1; fi
endif

$(B)/%.o: %.c | $(GEN)/filters_generated.h
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/filters/filter.o: $(GEN)/filters_generated.h

-include $(OBJECTS:.o=.d)

# The profiles become BPF at build time, with the names and numbers that libseccomp knows.
$(GEN)/compile: $(COMPILER_SOURCES) $(wildcard filters/*.h)
	@mkdir -p $(@D)
	$(HOSTCC) -std=gnu11 -D_GNU_SOURCE -I. $(WARNINGS) -O1 -g -o $@ $(COMPILER_SOURCES) -lseccomp

$(GEN)/filters_generated.h: $(GEN)/compile $(PROFILES)
	$(GEN)/compile $(PROFILES) >$@
