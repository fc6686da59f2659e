# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2012,SC2016,SC2103
#
# Real work on a directory. start_JOB makes what is there at first, in the working directory and with times in the
# past; job_JOB is run in a box, in the directory. What it prints is compared, so it prints no time and no path of
# the machine's. Git's index holds inode numbers and change times, so it is printed and removed.

export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a HOME=/nonexistent
export GIT_AUTHOR_DATE='1500000000 +0000' GIT_COMMITTER_DATE='1500000000 +0000' GIT_CONFIG_NOSYSTEM=1 LC_ALL=C

some_headers() {
	cp -r /usr/include/linux "$1"
	ln -s linux/fs.h "$1/link"
	mkfifo "$1/fifo"
	mkdir "$1/empty"
}

start_git() {
	git init -q -b main origin
	cp -r /usr/include/linux/netfilter /usr/include/linux/[a-f]*.h origin/
	git -C origin add .
	git -C origin commit -qm first
	git -C origin checkout -qb topic
	sed -i 's/define/DEFINE/' origin/fs.h
	git -C origin rm -q origin/cdrom.h 2>/dev/null || git -C origin rm -q cdrom.h
	git -C origin commit -qam topic
	git -C origin checkout -q main
	echo '/* more */' >>origin/ext4.h 2>/dev/null || echo more >origin/more
	git -C origin add .
	git -C origin commit -qam more
}

job_git() {
	git clone -q --no-hardlinks origin clone
	cd clone || exit
	git checkout -q topic
	git rebase -q origin/main
	git log --format='%h %s'
	git mv fs.h fs2.h
	git commit -qam moved
	git -c pack.threads=1 gc -q
	git fsck
	git status --short
	git ls-files -s | tail -n 3
	git diff --stat HEAD~2 | tail -n 1
	cd ../origin || exit
	git status --short
	git stash list
	git checkout -q topic
	rm -f .git/index ../clone/.git/index
}

start_tar() {
	some_headers .
	tar -C /usr/include -cf all.tar linux x86_64-linux-gnu/asm
}

job_tar() {
	mkdir out
	tar -xf all.tar -C out
	find out -type f | wc -l
	tar -cf - --sort=name linux | cksum
	tar -cf again.tar --sort=name --mtime=@1500000000 -C out .
	tar -tf again.tar | LC_ALL=C sort | cksum
	rm -r linux/netfilter out/linux/can
	tar -df all.tar -C out 2>&1 | LC_ALL=C sort
}

start_make() {
	for i in 1 2 3 4 5; do
		printf '#include "all.h"\nint f%s(void) { return %s + N; }\n' $i $i >f$i.c
	done
	echo 'extern int f1(void), f2(void), f3(void), f4(void), f5(void); enum { N = 1 };' >all.h
	printf '#include <stdio.h>\n#include "all.h"\nint main(void) { printf("%%d\\n", f1() + f2() + f3() + f4() + f5()); return 0; }\n' >main.c
	printf '%s\n' 'CFLAGS = -O1' 'prog: main.o f1.o f2.o f3.o f4.o f5.o' '	gcc -o $@ $^' '%.o: %.c all.h' \
		'	gcc $(CFLAGS) -c -o $@ $<' >Makefile
}

job_make() {
	make
	./prog
	make
	sed -i 's/N = 1/N = 2/' all.h
	touch -d '2030-01-01' all.h
	make 2>&1 | grep -v 'in the future'
	touch -d '2001-01-01' all.h
	./prog
	rm -f f1.o
	make
	ln prog hard
	./hard
}

start_unpack() {
	mkdir tmp
	(cd /usr/lib/python3 && python3 -c '
import zipfile, sys, os
z = zipfile.ZipFile(sys.argv[1], "w")
for d, _, fs in sorted(os.walk("/usr/lib/python3.11/email")):
    for f in sorted(fs):
        if f.endswith(".py"): z.write(os.path.join(d, f), "pkg/" + f)
z.close()' "$OLDPWD/pkg.whl")
}

job_unpack() {
	python3 -c '
import zipfile, shutil, os, compileall
zipfile.ZipFile("pkg.whl").extractall("site")
shutil.copytree("site/pkg", "site/copy")
shutil.move("site/copy", "site/moved")
os.rename("site/moved", "site/again")
print(sorted(os.listdir("site")), len(os.listdir("site/again")))
shutil.rmtree("site/pkg")
for e in sorted(os.scandir("site/again"), key=lambda e: e.name)[:5]: print(e.name, e.is_file(), e.stat().st_size)
import tempfile
with tempfile.TemporaryFile(dir="tmp") as f: f.write(b"x"); f.flush()
with tempfile.NamedTemporaryFile(dir="tmp") as f: print(len(os.listdir("tmp")))
print(os.listdir("tmp"))'
}

start_sqlite() {
	sqlite3 old.db 'create table t (a, b); with recursive c (x) as (select 1 union all select x + 1 from c where x < 5000) insert into t select x, hex(x) from c'
}

job_sqlite() {
	sqlite3 old.db 'pragma journal_mode=wal' 'insert into t values (1, 2)' 'update t set b = 7 where a < 100' \
		'select count(*), sum(a) from t' 'pragma wal_checkpoint(truncate)' 'pragma integrity_check'
	ls
	sqlite3 new.db 'pragma journal_mode=wal' 'create table u (a)' 'insert into u values (3)'
	sqlite3 new.db 'begin' 'insert into u values (4)' 'rollback' 'select * from u' '.dump' 'pragma journal_mode=delete'
	sqlite3 old.db 'delete from t where a > 10' 'vacuum' 'select count(*) from t' 'pragma journal_mode=delete'
	ls
}

start_dpkg() {
	mkdir -p package/DEBIAN package/usr/share/doc
	printf 'Package: p\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: d\n' >package/DEBIAN/control
	cp -r /usr/include/linux/can package/usr/share/doc/
	ln -s can/raw.h package/usr/share/doc/link
	find package -exec touch -h -d @1400000000 {} +
	SOURCE_DATE_EPOCH=1400000000 dpkg-deb --root-owner-group -b package p.deb >/dev/null
}

job_dpkg() {
	dpkg-deb -x p.deb out
	dpkg-deb -I p.deb | head -n 3
	dpkg-deb -x p.deb out
	find out | sort
}

start_rsync() {
	some_headers .
	ln linux/fs.h hard
	mkdir target
	cp -r linux/can target/
	setfattr -n user.mark -v one linux/fs.h 2>/dev/null || python3 -c 'import os; os.setxattr("linux/fs.h", "user.mark", b"one")'
}

job_rsync() {
	rsync -aHX --stats linux hard target/ | grep 'Number of.*files'
	echo more >>linux/ext4.h 2>/dev/null
	rm -r linux/netfilter
	rsync -aHX --delete --itemize-changes linux target/ | grep -v '/$'
	rsync -aHXn --itemize-changes linux target/
	python3 -c 'import os; print(os.getxattr("target/linux/fs.h", "user.mark"))'
}

start_pipeline() { some_headers .; }

job_pipeline() {
	find . -type f | sort | cksum
	grep -rl INOTIFY . | sort
	find linux -name '*.h' | sort | head -n 50 | xargs sed -i 's/int/INT/g'
	grep -rc INT linux | sort | head -n 50
	find linux -empty -o -name 'z*' -delete
	find . -newermt 2020-01-01 -type f | sort | head -n 60 | wc -l
	du -s --apparent-size linux/can | cut -f2
	sort linux/fs.h linux/stat.h | uniq -c | sort -rn | head -n 5
}

start_files() {
	some_headers .
	mkdir -p a/b/c
	echo x >a/b/c/x
	ln -s a/b abs
}

job_files() {
	cp -a linux copy
	mv copy moved
	diff -r linux moved && echo same
	cp -al moved links
	rm -r moved
	mkdir -p deep/er/and/er
	cd deep/er/and/er || exit
	pwd -P | sed 's,.*/deep,deep,'
	echo there >file
	cd ../../..
	cat er/and/er/file
	mv er other
	ls -R .
	cd ..
	mv a/b a/bb
	cat a/bb/c/x
	readlink abs
	mv -T linux a/bb/linux
	ls a/bb | cat
	chmod 0555 a/bb
	touch a/bb/new && echo made
	chmod 0755 a/bb
	ln a/bb/linux/fs.h hard
	echo y >>hard
	tail -n 1 a/bb/linux/fs.h
	rm -r a
	mkdir a
	ls -A a
	dd if=/dev/zero of=sparse bs=1 count=1 seek=100000 2>/dev/null
	stat -c %s sparse
	truncate -s 5 hard
	cat fifo & echo through >fifo
	wait
}

# Not on overlayfs: differential.bats says why.
start_directories() {
	some_headers .
	mkdir -p a/b/c
	echo x >a/b/c/x
}

job_directories() {
	cd a/b/c || exit
	mv ../../b ../../bb
	pwd -P | sed 's,.*/a/,a/,'
	cat x
	exec 5<.
	mv ../../../linux .
	mv ../../../a ../../../z
	ls linux | head -n 3
	ls /proc/self/fd/5/ | cat
	pwd -P | sed 's,.*/z/,z/,'
	python3 -c '
import os
os.rename("linux/can", "linux/cannot")
print(os.path.exists("linux/can"), len(os.listdir("linux/cannot")))
fd = os.open("linux/cannot/raw.h", os.O_RDONLY)
open("linux/cannot/raw.h", "a").write("more")
print(os.read(fd, 100000)[-4:], os.fstat(fd).st_ino == os.stat("linux/cannot/raw.h").st_ino)'
}

start_programs() {
	echo '#!/bin/sh' >old
	echo 'echo old "$@"' >>old
	chmod 0755 old
	cp /bin/echo echo
}

job_programs() {
	./old 1 2
	./echo binary
	sed -i s/old/new/ old
	./old 3
	cp echo echo2
	./echo2 copied
	printf '#!%s/interpreter\nnothing\n' "$PWD" >script
	cp /bin/cat interpreter
	chmod 0755 script
	./script | sed 's,#!.*/,,'
	mv echo renamed
	./renamed moved
}

start_sockets() {
	echo x >file
}

job_sockets() {
	python3 -c '
import socket, threading
s = socket.socket(socket.AF_UNIX); s.bind("sock"); s.listen(1)
def serve():
    c, _ = s.accept(); c.sendall(b"hello"); c.close()
t = threading.Thread(target=serve); t.start()
c = socket.socket(socket.AF_UNIX); c.connect("sock"); print(c.recv(9)); t.join()'
	test -S sock && rm sock
}
