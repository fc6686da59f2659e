// SPDX-License-Identifier: MIT
// A C++ program with the installed header: prints what a box says.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include <nestbox.h>

namespace
{

struct free_plan {
	void operator()(nestbox_plan *plan) const
	{
		nestbox_plan_free(plan);
	}
};

struct free_box {
	void operator()(nestbox_box *box) const
	{
		nestbox_free(box);
	}
};

std::string read_all(int fd)
{
	std::string text;
	char bytes[256];
	ssize_t length;

	while ((length = read(fd, bytes, sizeof(bytes))) > 0)
		text.append(bytes, static_cast<std::size_t>(length));
	return text;
}

} // namespace

int main(int argc, char **argv)
{
	std::unique_ptr<nestbox_plan, free_plan> plan(nestbox_plan_new());
	std::vector<char *> words(argv + 1, argv + argc);
	nestbox_box *started = nullptr;
	nestbox_error error;
	nestbox_event end;

	words.push_back(nullptr);
	nestbox_plan_grant(plan.get(), NESTBOX_READ | NESTBOX_EXEC, "/usr");
	nestbox_plan_option(plan.get(), "tmpfs", "/var/tmp", static_cast<const char *>(nullptr));
	nestbox_plan_stdio(plan.get(), 1, NESTBOX_PIPE, -1);
	if (nestbox_spawn(plan.get(), words.data(), &started, &error) != 0) {
		std::fprintf(stderr, "%s\n", error.message);
		return EXIT_FAILURE;
	}
	std::unique_ptr<nestbox_box, free_box> box(started);
	std::printf("output: %s", read_all(nestbox_stdio_fd(box.get(), 1)).c_str());
	nestbox_wait(box.get(), &end);
	std::printf("end: %d, %d\n", end.kind == NESTBOX_EXITED, end.code);
	return EXIT_SUCCESS;
}
