/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Preloaded into crun where root may not raise RLIMIT_MEMLOCK. crun before 1.21 gives up when it
   can't, although the kernel has charged BPF memory to the memory cgroup instead of that limit
   since 5.11. So the request "succeeds" and changes nothing. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/resource.h>

typedef int set_limit(__rlimit_resource_t, const void*);

static int forward(const char* name, __rlimit_resource_t resource, const void* limit) {
    if (resource == RLIMIT_MEMLOCK) return 0;
    set_limit* next;
    *(void**)&next = dlsym(RTLD_NEXT, name);
    return next(resource, limit);
}

int setrlimit(__rlimit_resource_t resource, const struct rlimit* limit) {
    return forward("setrlimit", resource, limit);
}
int setrlimit64(__rlimit_resource_t resource, const struct rlimit64* limit) {
    return forward("setrlimit64", resource, limit);
}
