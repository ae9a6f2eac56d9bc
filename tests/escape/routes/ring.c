/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A minimal io_uring; see ring.h. */
#include "ring.h"

#include <errno.h>
#include <linux/time_types.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void* map(int fd, size_t size, unsigned long at) {
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, (off_t)at);
}

int ring_open(struct ring* ring, unsigned flags) {
    struct io_uring_params params = {
        .flags = flags, .sq_thread_idle = 50, .sq_thread_cpu = (unsigned)sched_getcpu()};
    char *sq, *cq;

    /* The polling thread stays on the sender's processor: packets keep their order on the wire. */
    if (flags & IORING_SETUP_SQPOLL) params.flags |= IORING_SETUP_SQ_AFF;
    ring->flags = flags;
    ring->fd = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, &params);
    if (ring->fd < 0) return errno;
    sq = map(ring->fd, params.sq_off.array + params.sq_entries * sizeof(unsigned),
             IORING_OFF_SQ_RING);
    cq = map(ring->fd, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
             IORING_OFF_CQ_RING);
    ring->sqes = map(ring->fd, params.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
    if (sq == MAP_FAILED || cq == MAP_FAILED || (void*)ring->sqes == MAP_FAILED) return errno;
    ring->sq_tail = (unsigned*)(void*)(sq + params.sq_off.tail);
    ring->sq_mask = (unsigned*)(void*)(sq + params.sq_off.ring_mask);
    ring->sq_flags = (unsigned*)(void*)(sq + params.sq_off.flags);
    ring->sq_array = (unsigned*)(void*)(sq + params.sq_off.array);
    ring->cq_head = (unsigned*)(void*)(cq + params.cq_off.head);
    ring->cq_tail = (unsigned*)(void*)(cq + params.cq_off.tail);
    ring->cq_mask = (unsigned*)(void*)(cq + params.cq_off.ring_mask);
    ring->cqes = (struct io_uring_cqe*)(void*)(cq + params.cq_off.cqes);
    return 0;
}

void ring_close(struct ring* ring) {
    close(ring->fd);
}

static unsigned reap(struct ring* ring, int* results) {
    unsigned head = *ring->cq_head, count = 0;

    while (head != __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE)) {
        const struct io_uring_cqe* cqe = &ring->cqes[head & *ring->cq_mask];

        if (!(cqe->flags & IORING_CQE_F_NOTIF)) { /* the second completion of a zero-copy send */
            results[cqe->user_data] = cqe->res;
            count++;
        }
        head++;
    }
    __atomic_store_n(ring->cq_head, head, __ATOMIC_RELEASE);
    return count;
}

int ring_run(struct ring* ring, const struct io_uring_sqe* entries, unsigned count, int* results) {
    struct __kernel_timespec patience = {.tv_nsec = 250000000};
    struct io_uring_getevents_arg wait = {.ts = (uint64_t)(uintptr_t)&patience};
    unsigned tail = *ring->sq_tail, submit = count, seen = 0;
    unsigned enter = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;

    for (unsigned i = 0; i < count; i++) {
        unsigned slot = (tail + i) & *ring->sq_mask;

        ring->sqes[slot] = entries[i];
        ring->sqes[slot].user_data = i;
        ring->sq_array[slot] = slot;
        results[i] = -ETIMEDOUT;
    }
    __atomic_store_n(ring->sq_tail, tail + count, __ATOMIC_RELEASE);
    if (ring->flags & IORING_SETUP_SQPOLL) {
        submit = 0;
        enter |= IORING_ENTER_SQ_WAKEUP;
    }
    while (seen < count) {
        if (syscall(SYS_io_uring_enter, ring->fd, submit, 1, enter, &wait, sizeof(wait)) < 0 &&
            errno != EINTR)
            return errno == ETIME ? 0 : errno;
        submit = 0;
        seen += reap(ring, results);
    }
    return 0;
}

int ring_one(struct ring* ring, struct io_uring_sqe entry) {
    int result;
    int error = ring_run(ring, &entry, 1, &result);

    return error ? -error : result;
}

int ring_register_file(struct ring* ring, int fd) {
    return syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_FILES, &fd, 1) < 0 ? errno : 0;
}
