/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A minimal io_uring by raw system calls, so that the adversary links statically against nothing.
 */
#ifndef ESCAPE_RING_H
#define ESCAPE_RING_H

#include <linux/io_uring.h>
#include <stdint.h>

#define RING_ENTRIES 8

struct ring {
    int fd;
    unsigned flags;
    unsigned *sq_tail, *sq_mask, *sq_flags, *sq_array, *cq_head, *cq_tail, *cq_mask;
    struct io_uring_sqe* sqes;
    struct io_uring_cqe* cqes;
};

/* 0 or an errno. */
int ring_open(struct ring* ring, unsigned flags);
void ring_close(struct ring* ring);
/* Submits count entries at once and waits for as many completions, up to 250 ms; results[user_data]
 * = what each returned, negative for errors. */
int ring_run(struct ring* ring, const struct io_uring_sqe* entries, unsigned count, int* results);
/* The same for one: its result, or the negative errno of the ring itself. */
int ring_one(struct ring* ring, struct io_uring_sqe entry);
/* Makes fd the ring's file 0. 0 or an errno. */
int ring_register_file(struct ring* ring, int fd);

#endif
