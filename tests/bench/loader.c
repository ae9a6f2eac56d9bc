/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The yardstick: a static program that makes the bpf() calls of a jail and nothing else. No
 * parsing, no checks, no proof of who the container is.
 *
 * (Line numbers for the verifier are left out, which only makes it faster.)
 *
 * usage: bench-loader RECIPE CGROUP_DIRECTORY
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recipe.h"

static int bpf(int command, union bpf_attr* attr) {
    return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int fds[RECIPE_MAPS];

static int make_map(const struct recipe_map* map, const char* base, int btf) {
    union bpf_attr attr = {.map_type = map->type,
                           .key_size = map->key_size,
                           .value_size = map->value_size,
                           .max_entries = map->max_entries,
                           .map_flags = map->flags};
    int fd;

    memcpy(attr.map_name, map->name, sizeof(attr.map_name));
    if (map->key_type || map->value_type) {
        attr.btf_fd = (__u32)btf;
        attr.btf_key_type_id = map->key_type;
        attr.btf_value_type_id = map->value_type;
    }
    fd = bpf(BPF_MAP_CREATE, &attr);
    if (fd >= 0 && map->content_size) {
        __u32 zero = 0;
        union bpf_attr update = {.map_fd = (__u32)fd,
                                 .key = (__u64)(unsigned long)&zero,
                                 .value = (__u64)(unsigned long)(base + map->content)};
        union bpf_attr freeze = {.map_fd = (__u32)fd};

        if (bpf(BPF_MAP_UPDATE_ELEM, &update) || bpf(BPF_MAP_FREEZE, &freeze)) return -1;
    }
    return fd;
}

static int load_program(const struct recipe_program* program, char* base, int btf) {
    struct bpf_insn* instructions = (struct bpf_insn*)(base + program->instructions);
    union bpf_attr attr = {.prog_type = program->type,
                           .expected_attach_type = program->expected_attach_type,
                           .insns = (__u64)(unsigned long)instructions,
                           .insn_cnt = program->instruction_count,
                           .license = (__u64)(unsigned long)"Dual MIT/GPL",
                           .prog_btf_fd = (__u32)btf,
                           .func_info_rec_size = sizeof(struct bpf_func_info),
                           .func_info = (__u64)(unsigned long)(base + program->functions),
                           .func_info_cnt = program->function_count};

    for (__u32 i = 0; i < program->instruction_count; i++)
        if (instructions[i].code == (BPF_LD | BPF_DW | BPF_IMM) && instructions[i].src_reg)
            instructions[i].imm = fds[instructions[i].imm];
    memcpy(attr.prog_name, program->name, sizeof(attr.prog_name));
    return bpf(BPF_PROG_LOAD, &attr);
}

int main(int argc, char** argv) {
    int file = argc == 3 ? open(argv[1], O_RDONLY) : -1;
    int cgroup = argc == 3 ? open(argv[2], O_RDONLY | O_DIRECTORY) : -1;
    int programs[RECIPE_PROGRAMS];
    const struct recipe* recipe;
    struct stat info;
    char* base;
    int btf;

    if (file < 0 || cgroup < 0 || fstat(file, &info)) return 1;
    base = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE,
                file, 0);
    if (base == MAP_FAILED) return 1;
    recipe = (const struct recipe*)base;
    btf = bpf(BPF_BTF_LOAD, &(union bpf_attr){.btf = (__u64)(unsigned long)(base + recipe->btf),
                                              .btf_size = recipe->btf_size});
    if (btf < 0) return 2;
    for (__u32 i = 0; i < recipe->map_count; i++)
        if ((fds[i] = make_map(&recipe->maps[i], base, btf)) < 0) return 3;
    for (__u32 i = 0; i < recipe->program_count; i++)
        if ((programs[i] = load_program(&recipe->programs[i], base, btf)) < 0) return 4;
    for (__u32 i = 0; i < recipe->rule_count; i++) {
        char* rule = base + recipe->rules + i * recipe->rule_size;
        union bpf_attr update = {
            .map_fd = (__u32)fds[recipe->rules_map],
            .key = (__u64)(unsigned long)rule,
            .value = (__u64)(unsigned long)(rule + recipe->maps[recipe->rules_map].key_size)};

        if (bpf(BPF_MAP_UPDATE_ELEM, &update)) return 5;
    }
    for (__u32 i = 0; i < recipe->program_count; i++) {
        union bpf_attr attach = {.target_fd = (__u32)cgroup,
                                 .attach_bpf_fd = (__u32)programs[i],
                                 .attach_type = recipe->programs[i].expected_attach_type,
                                 .attach_flags = BPF_F_ALLOW_MULTI};

        if (bpf(BPF_PROG_ATTACH, &attach)) return 6;
    }
    return 0;
}
