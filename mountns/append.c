/* SPDX-License-Identifier: MIT */
/* Grants with GRANT_APPEND: besides the read-only mount that is seen, one for writing, which is not. */
#include <errno.h>
#include <stdlib.h>

#include "mountns/build.h"
#include "mountns/source.h"

int append_prepare(struct view *view, struct fault *fault)
{
	for (size_t i = 0; i < view->source_count; i++) {
		const struct source *source = &view->sources[i];

		if ((source->rights & GRANT_APPEND) == 0)
			continue;
		if ((source->rights & GRANT_WRITE) != 0)
			return fault_text(fault, "append", source->path,
					  "is granted with --write, too");
		view->append_count++;
	}
	if (view->append_count == 0)
		return 0;
	view->appends = calloc(view->append_count, sizeof(*view->appends));
	return view->appends == NULL ? fault_errno(fault, "append", "", ENOMEM) : 0;
}

/* On the stage of mount(2) it could be reached as long as that is there. */
static int clone_one(struct builder *builder, const struct source *source)
{
	struct source writable = *source;
	int tree;

	writable.rights = GRANT_READ | GRANT_WRITE;
	tree = bind_clone_hidden(builder, &writable, "append");
	if (tree < 0 || !builder->mounter.classic)
		return tree;
	return fault_text(builder->fault, "append", source->path,
			  "needs open_tree and mount_setattr (Linux 5.12), which are blocked here");
}

int append_clone(struct builder *builder)
{
	const struct view *view = builder->view;
	size_t next = 0;

	for (size_t i = 0; i < view->source_count; i++) {
		if ((view->sources[i].rights & GRANT_APPEND) == 0)
			continue;
		view->appends[next] = clone_one(builder, &view->sources[i]);
		if (view->appends[next++] < 0)
			return -1;
	}
	return 0;
}
