// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Writes the recipes for the yardstick loader: of a jail, which is built once as the hook does it,
// to ask libbpf and the kernel what came of it, and of the same maps and as many programs that do
// nothing but let everything pass, without rules.
//
// usage: bench-recipe FILE MINIMAL_FILE     Needs root.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <stdexcept>
#include <vector>

#include "jail/program_table.h"
#include "jail/skeleton.h"
#include "policy/policy.h"
#include "recipe.h"
#include "system/routes.h"

namespace {

using namespace jail_ai;

class Writer {
public:
    std::uint32_t add(const void* bytes, std::size_t size) {
        while (tail_.size() % 8 != 0) tail_.push_back(0);
        const std::size_t at = sizeof(recipe) + tail_.size();
        const auto* first = static_cast<const char*>(bytes);
        tail_.insert(tail_.end(), first, first + size);
        return static_cast<std::uint32_t>(at);
    }
    void write(const char* path, const recipe& head) const {
        std::ofstream file(path, std::ios::binary);
        file.write(reinterpret_cast<const char*>(&head), sizeof head);
        file.write(tail_.data(), static_cast<std::streamsize>(tail_.size()));
        if (!file.flush()) throw std::runtime_error("cannot write the recipe");
    }

private:
    std::vector<char> tail_;
};

recipe_map describe(const bpf_map* map, Writer& writer) {
    recipe_map out{};
    out.type = ::bpf_map__type(map);
    out.key_size = ::bpf_map__key_size(map);
    out.value_size = ::bpf_map__value_size(map);
    out.max_entries = ::bpf_map__max_entries(map);
    out.flags = ::bpf_map__map_flags(map);
    if (::bpf_map__is_internal(map)) {
        std::size_t size = 0;
        const void* content = ::bpf_map__initial_value(const_cast<bpf_map*>(map), &size);
        if (content == nullptr || size != out.value_size)
            throw std::runtime_error("a map without its first content");
        out.content = writer.add(content, size);
        out.content_size = out.value_size;
        out.flags &= ~std::uint32_t{BPF_F_MMAPABLE};
    } else {
        out.key_type = ::bpf_map__btf_key_type_id(map);
        out.value_type = ::bpf_map__btf_value_type_id(map);
    }
    std::strncpy(out.name, ::bpf_map__name(map), sizeof out.name - 1);
    return out;
}

// Where functions begin among the instructions of a program, and by what types, of which the kernel
// has the order.
std::vector<bpf_func_info> functions_of(const bpf_program* program,
                                        std::span<const bpf_insn> instructions) {
    std::set<std::uint32_t> begins = {0};
    for (std::size_t at = 0; at < instructions.size(); ++at) {
        const bpf_insn& call = instructions[at];
        if (call.code == (BPF_JMP | BPF_CALL) && call.src_reg == BPF_PSEUDO_CALL)
            begins.insert(static_cast<std::uint32_t>(static_cast<std::int64_t>(at) + call.imm + 1));
    }
    std::vector<bpf_func_info> functions(begins.size());
    bpf_prog_info info{};
    std::uint32_t size = sizeof info;
    info.nr_func_info = static_cast<std::uint32_t>(functions.size());
    info.func_info_rec_size = sizeof(bpf_func_info);
    info.func_info = reinterpret_cast<std::uintptr_t>(functions.data());
    if (::bpf_obj_get_info_by_fd(::bpf_program__fd(program), &info, &size) != 0 ||
        info.nr_func_info != functions.size())
        throw std::runtime_error("the kernel has other functions than the program");
    for (std::size_t i = 0; const std::uint32_t begin : begins) functions[i++].insn_off = begin;
    return functions;
}

recipe_program describe(const bpf_program* program, const std::map<int, std::uint32_t>& map_of_fd,
                        Writer& writer) {
    recipe_program out{};
    out.type = ::bpf_program__type(program);
    out.expected_attach_type = ::bpf_program__expected_attach_type(program);
    out.instruction_count = static_cast<std::uint32_t>(::bpf_program__insn_cnt(program));
    const bpf_insn* first = ::bpf_program__insns(program);
    std::vector<bpf_insn> instructions(first, first + out.instruction_count);
    for (bpf_insn& instruction : instructions)
        if (instruction.code == (BPF_LD | BPF_DW | BPF_IMM) && instruction.src_reg != 0)
            instruction.imm = static_cast<std::int32_t>(map_of_fd.at(instruction.imm));
    out.instructions = writer.add(instructions.data(), instructions.size() * sizeof(bpf_insn));
    const std::vector<bpf_func_info> functions = functions_of(program, instructions);
    out.function_count = static_cast<std::uint32_t>(functions.size());
    out.functions = writer.add(functions.data(), functions.size() * sizeof(bpf_func_info));
    std::strncpy(out.name, ::bpf_program__name(program), sizeof out.name - 1);
    return out;
}

// The maps of a recipe stay what they are.
void make_minimal(recipe& head, Writer& writer) {
    constexpr bpf_insn kPass[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1},
                                  {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
    const std::uint32_t instructions = writer.add(kPass, sizeof kPass);
    for (recipe_program& program : std::span(head.programs).first(head.program_count)) {
        program.instructions = instructions;
        program.instruction_count = static_cast<std::uint32_t>(std::size(kPass));
        program.function_count = 0;
    }
    head.rule_count = 0;
}

void write_recipes(const char* path, const char* minimal_path) {
    auto routes = read_local_routes();
    if (!routes) throw std::runtime_error(routes.error().message);
    const auto policy =
        compile_policy({Mode::enforce, Dns::automatic, OnFailure::refuse, {}, {}, {}},
                       {std::move(*routes), false, {}, {}, {}});
    if (!policy) throw std::runtime_error(policy.error().message);
    jail_bpf* skeleton = jail_bpf::open_and_load();
    if (skeleton == nullptr) throw std::runtime_error("cannot load the programs");

    Writer writer;
    recipe head{};
    std::uint32_t btf_size = 0;
    const void* btf = ::btf__raw_data(::bpf_object__btf(skeleton->obj), &btf_size);
    head.btf = writer.add(btf, btf_size);
    head.btf_size = btf_size;
    std::map<int, std::uint32_t> map_of_fd;
    const bpf_map* map = nullptr;
    bpf_object__for_each_map(map, skeleton->obj) {
        if (head.map_count == RECIPE_MAPS)
            throw std::runtime_error("more maps than a recipe has room for");
        if (map == skeleton->maps.jail_rules) head.rules_map = head.map_count;
        map_of_fd[::bpf_map__fd(map)] = head.map_count;
        head.maps[head.map_count++] = describe(map, writer);
    }
    static_assert(std::size(kProgramTable) <= RECIPE_PROGRAMS);
    for (const ProgramSlot& slot : kProgramTable)
        head.programs[head.program_count++] = describe(
            ::bpf_object__find_program_by_name(skeleton->obj, slot.name), map_of_fd, writer);
    std::vector<char> rules;
    for (const auto& [prefix, rule] : policy->rules) {
        const auto append = [&rules](const auto& value) {
            const char* bytes = reinterpret_cast<const char*>(&value);
            rules.insert(rules.end(), bytes, bytes + sizeof value);
        };
        append(prefix.key());
        append(rule.value);
    }
    head.rules = writer.add(rules.data(), rules.size());
    head.rule_count = static_cast<std::uint32_t>(policy->rules.size());
    head.rule_size = sizeof(jail_key) + sizeof(jail_rule);
    writer.write(path, head);
    make_minimal(head, writer);
    writer.write(minimal_path, head);
    jail_bpf::destroy(skeleton);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: bench-recipe FILE MINIMAL_FILE\n", stderr);
        return EX_USAGE;
    }
    try {
        write_recipes(argv[1], argv[2]);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "bench-recipe: %s\n", failure.what());
        return EX_OSERR;
    }
    return 0;
}
