/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What the loader that the hook is compared with has to do, as one flat file: the maps, programs
 * and rules of a jail, resolved as far as can be. Offsets are from the start of the file.
 */
#ifndef JAIL_AI_RECIPE_H
#define JAIL_AI_RECIPE_H

#include <linux/types.h>

enum { RECIPE_MAPS = 16, RECIPE_PROGRAMS = 16 };

struct recipe_map {
    __u32 type, key_size, value_size, max_entries, flags;
    __u32 key_type, value_type;  /* BTF type ids */
    __u32 content, content_size; /* of a read-only data map, else 0 */
    char name[16];
};

struct recipe_program {
    __u32 type, expected_attach_type;
    __u32 instructions,
        instruction_count; /* where an instruction loads a map, imm is the map's index here */
    __u32 functions, function_count; /* struct bpf_func_info, for what the verifier follows once */
    char name[16];
};

struct recipe {
    __u32 btf, btf_size;
    __u32 map_count, program_count;
    struct recipe_map maps[RECIPE_MAPS];
    struct recipe_program programs[RECIPE_PROGRAMS];
    __u32 rules_map;                    /* index of the map that the rules go into */
    __u32 rules, rule_count, rule_size; /* each a key followed by its value */
};

#endif
