/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* ip(8) and nft(8), for routes that begin with a change of the container's own network. */
#ifndef ESCAPE_TOOL_H
#define ESCAPE_TOOL_H

#include "route.h"

/* Runs it by PATH with text on its stdin (or none); 0, or ENOENT when there is no such tool, or
 * EOPNOTSUPP when it failed. */
int run_tool(const char* const argv[], const char* text);
/* The same for a batch of ip(8) commands and for nft(8) rules, in which @host4, @host6, @own4 and
 * @link stand for what the target says. */
int ip_batch(const struct target* target, const char* commands);
int nft_rules(const struct target* target, const char* rules);
/* Waits until a link that was set up carries packets, which takes the kernel a moment. */
void await_link(const char* name);

#endif
