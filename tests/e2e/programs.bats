#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Real programs at their real work under the default filter: none is refused a call that is not on the
# list, tests/e2e/refused.list. tests/lib/refused.c notes what the filter refuses, and refuses it.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # variables shared with common.bash and run
load ../lib/common

setup_file() {
	nb_setup_file
	cp "$NB_HELPERS"/{refused,syscalls} "$NB_DIR/bin/"
	printf '{"defaultAction":"SCMP_ACT_ALLOW"}\n' >"$NB_DIR/all.json"
	printf 'u:x:12345:12345::/:/bin/sh\n' >"$NB_DIR/passwd"
	chmod 0755 "$NB_DIR/bin/"*
	chmod 0644 "$NB_DIR"/{all.json,passwd}
	# The calls' names, from the headers of the machine that compiled the helper.
	printf '#include <sys/syscall.h>\n' | gcc -E -dM - |
		awk '$2 ~ /^__NR_/ {print $3, substr($2, 6)}' >"$NB_DIR/names"
}

# learn SCRIPT: as an ordinary user's in a box, with a directory to work in. It is done within a
# minute and a half, and must end well.
learn() {
	local dir opts=(-x /usr -r /etc)

	for dir in /bin /lib /lib64; do
		[ ! -e "$dir" ] || opts+=(-x "$dir")
	done
	NB_LIMIT=90 run nb --filter "$NB_DIR/all.json" "${opts[@]}" -x "$NB_BIN" -w "$T" -x "$T" --chdir "$T" \
		--uid 12345 --gid 12345 --setenv HOME "$T" --setenv LC_ALL C.UTF-8 \
		--perms 0644 --ro-bind-data 9 /etc/passwd \
		-- "$NB_BIN/refused" "$T/refused" /bin/bash -euc "$1" 9<"$NB_DIR/passwd"
	exits 0
}

# The list's first words are the call, the errno and, where it matters, the first argument.
none_refused() {
	local number error command first rest name bad=0

	while read -r number error command first rest; do
		name=$(awk -v number="$number" '$1 == number {print $2}' "$NB_DIR/names")
		grep -qE "^$name $error( $first)?:" "$NB_TREE/tests/e2e/refused.list" && continue
		echo "$command was refused $name($first $rest): errno $error" >&2
		bad=1
	done < <(sort -u "$T/refused")
	return "$bad"
}

@test "the helper answers as the filter does" {
	[ "$(uname -m)" = x86_64 ] || skip "about x86-64"
	nb --filter "$NB_DIR/all.json" -x "$NB_BIN" -w "$T" -- "$NB_BIN/refused" "$T/log" "$NB_BIN/syscalls" >noted || true
	mini -- "$NB_BIN/syscalls" >filtered || true
	[ "$(grep -c . filtered)" -gt 100 ]
	# There can be one listener.
	diff <(grep -v '^listener:' filtered) <(grep -v '^listener:' noted)
}

@test "what is not on the list is noticed" {
	learn 'unshare -U true || :'
	run none_refused
	exits 1
	matches 'unshare was refused unshare\(0x10000000 .*\): errno 1'
}

@test "python: threads, subprocess, asyncio, multiprocessing, ctypes" {
	cat >p.py <<'END'
import asyncio, ctypes, multiprocessing, socket, subprocess, sys, tempfile, threading

def main():
    threads = [threading.Thread(target=lambda: sum(range(100000))) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    print(subprocess.check_output(["/bin/sh", "-c", "echo child"], text=True), end="")
    asyncio.run(loop())
    with multiprocessing.Pool(3) as pool:
        print(pool.map(abs, [-1, -2]))
    queue = multiprocessing.Queue()
    process = multiprocessing.Process(target=queue.put, args=(7,))
    process.start()
    print(queue.get())
    process.join()
    print(ctypes.CDLL(None).getpid() > 0, socket.getaddrinfo("localhost", 80)[0][4][1])
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x")

async def echo(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()

async def loop():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
    writer.write(b"echo\n")
    print((await reader.readline()).decode(), end="")
    writer.close()
    server.close()
    child = await asyncio.create_subprocess_exec("/bin/true")
    print(await child.wait())

if __name__ == "__main__":
    main()
END
	learn '/usr/bin/python3 p.py'
	says child echo 0 '[1, 2]' 7 'True 80'
	none_refused
}

@test "node: workers, children, http" {
	need node
	cat >p.js <<'END'
const { Worker } = require("worker_threads");
const { execSync } = require("child_process");
const http = require("http");
require("fs").writeFileSync("file", "text");
process.stdout.write(execSync("echo child"));
new Worker('require("worker_threads").parentPort.postMessage("worker")', { eval: true }).on("message", console.log);
const server = http.createServer((request, response) => response.end("page")).listen(0, "127.0.0.1", () =>
	http.get({ port: server.address().port, host: "127.0.0.1" }, response => {
		response.on("data", data => console.log(String(data)));
		response.on("end", () => server.close());
	}));
END
	learn 'node p.js'
	says child worker page
	none_refused
}

@test "perl: threads, fork, pipes, locks" {
	learn 'perl -e '\''use threads; use Fcntl ":flock"; use POSIX; use Time::HiRes;
print threads->create(sub { 42 })->join, "\n";
my $pid = fork // die; exit 3 unless $pid; waitpid $pid, 0; print $? >> 8, "\n";
open my $pipe, "-|", "echo pipe" or die; print <$pipe>;
open my $file, ">", "lock" or die; flock $file, LOCK_EX or die;
Time::HiRes::usleep(10); print((POSIX::uname())[0], "\n");'\'
	says 42 3 pipe Linux
	none_refused
}

@test "git: init, commit, rebase, clone, gc, fsck" {
	need git
	learn 'git config --global user.name a; git config --global user.email a@b
git init -q -b main one; cd one
commit() { echo "$1" >"$1"; git add "$1"; git commit -qm "$1"; }
commit a; git checkout -qb side; commit b; git checkout -q main; commit c
git rebase -q main side
git log --format=%s | tr "\n" " "; echo
cd ..; git clone -q one two; git -C two gc -q; git -C two fsck 2>&1; git -C two archive HEAD | tar -t | wc -l'
	says 'b c a ' 3
	none_refused
}

@test "gcc and make: a small project, with link-time optimization" {
	cat >Makefile <<'END'
p: a.o b.o
	gcc -flto=2 -O2 -o $@ $^
%.o: %.c
	gcc -flto -O2 -c $<
END
	printf 'int b(void);\nint main(void) { return b() - 7; }\n' >a.c
	printf 'int b(void) { return 7; }\n' >b.c
	chmod 0644 Makefile ./*.c
	learn 'make -s -j4 && ./p && echo built'
	says built
	none_refused
}

@test "openssl: speed, a key, a server and its client" {
	need openssl
	learn 'openssl speed -seconds 1 -bytes 64 -multi 2 sha256 >/dev/null 2>&1
openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out certificate -days 1 -subj /CN=localhost 2>/dev/null
openssl s_server -accept 127.0.0.1:4433 -cert certificate -key key -www >/dev/null 2>&1 &
until printf "GET / HTTP/1.0\r\n\r\n" | openssl s_client -connect 127.0.0.1:4433 -quiet >page 2>/dev/null; do :; done
head -n 1 page; kill $!'
	matches '^HTTP/1.0 200'
	none_refused
}

@test "sqlite: a database with a write-ahead log" {
	need sqlite3
	learn 'sqlite3 db "pragma journal_mode=wal; create table t(a); insert into t values (1), (2); select sum(a) from t;
pragma integrity_check; vacuum;"'
	says wal 3 ok
	none_refused
}

@test "curl from a server on the loopback device" {
	need curl
	echo page >page
	chmod 0644 page
	learn 'python3 -m http.server -b 127.0.0.1 8000 >/dev/null 2>&1 &
until curl -s http://127.0.0.1:8000/page; do :; done; curl -s http://localhost:8000/page | tr a-z A-Z; kill $!'
	says page PAGE
	none_refused
}

@test "java: threads, a child, a socket, collecting garbage" {
	need java
	need javac
	cat >A.java <<'END'
import java.net.*;
import java.nio.file.*;

public class A {
	public static void main(String[] arguments) throws Exception {
		Thread thread = new Thread(() -> System.out.println("thread"));
		thread.start();
		thread.join();
		System.out.print(new String(new ProcessBuilder("/bin/echo", "child").start().getInputStream().readAllBytes()));
		ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
		new Thread(() -> {
			try {
				server.accept().getOutputStream().write(65);
			} catch (Exception e) {
			}
		}).start();
		System.out.println(new Socket(InetAddress.getLoopbackAddress(), server.getLocalPort()).getInputStream().read());
		java.util.stream.IntStream.range(0, 1000000).parallel().sum();
		System.gc();
		Files.writeString(Path.of("file"), "text");
	}
}
END
	chmod 0644 A.java
	learn 'java -Xmx128m A.java'
	says thread child 65
	none_refused
}

@test "tar: links, a pipe, compressed" {
	learn 'mkdir a b; echo 1 >a/file; ln -s file a/link; ln a/file a/hard; mkfifo a/pipe
tar -cf t.tar a; tar -C b -xpf t.tar; tar -czf t.tgz a; tar -tzf t.tgz | wc -l; [ b/a/file -ef b/a/hard ]; [ -p b/a/pipe ]'
	says 5
	none_refused
}

@test "rsync: archives, with links and attributes" {
	need rsync
	learn 'mkdir a; echo 1 >a/file; ln -s file a/link; ln a/file a/hard
rsync -aHAX a/ b; echo 2 >>a/file; rm a/link; rsync -aHAX --delete --checksum a/ b; diff -r a b && echo same'
	says same
	none_refused
}

@test "nginx: workers, a page, a new configuration, the end" {
	local nginx=$NB_TREE/build/taken/nginx

	[ -e "$nginx" ] || skip "nginx is not installed"
	need curl
	cp "$nginx" nginx
	mkdir site
	echo page >site/page
	cat >conf <<'END'
daemon off;
worker_processes 2;
pid nginx.pid;
events { }
http {
	access_log off; sendfile on; aio threads;
	client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
	server { listen 127.0.0.1:8081; root site; }
}
END
	give nginx site conf
	learn './nginx -p "$PWD" -e error.log -c conf &
until curl -s http://127.0.0.1:8081/page; do :; done
kill -HUP $!; curl -s http://127.0.0.1:8081/page | tr a-z A-Z; kill -QUIT $!; wait $!; cat error.log'
	says page PAGE
	none_refused
}

@test "redis: an append-only file, a dump, the end" {
	need redis-cli
	# The server's other name is in a package that would start it.
	ln -s "$(readlink -f "$(command -v redis-check-rdb)")" redis-server
	learn './redis-server --port 6390 --bind 127.0.0.1 --appendonly yes --dir "$PWD" >log 2>&1 &
until redis-cli -p 6390 ping 2>/dev/null | grep -q PONG; do :; done
redis() { redis-cli -p 6390 "$@"; }
redis set a 1; redis incr a; redis save; redis bgrewriteaof; redis shutdown; wait $! && echo ended'
	says OK 2 ended
	none_refused
}

@test "postgres: a cluster, a table, vacuum, the end" {
	local bin
	bin=$(echo /usr/lib/postgresql/*/bin)
	[ -x "${bin%% *}/initdb" ] || skip "postgres is not installed"
	learn "export PATH=${bin%% *}:\$PATH"'
initdb -D db -U u -A trust -N >log 2>&1 || { cat log; exit 1; }
pg_ctl -s -D db -w -l log -o "-k $PWD -h 127.0.0.1 -p 5499 -c shared_buffers=16MB" start
sql() { psql -h 127.0.0.1 -p 5499 -U u -d postgres -qAtc "$1"; }
sql "create table t as select generate_series(1, 1000) a"; sql "select sum(a) from t"; sql "vacuum analyze t"; sql checkpoint
pg_ctl -s -D db -m fast stop; echo ended'
	says 500500 ended
	none_refused
}
