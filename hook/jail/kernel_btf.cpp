// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The format is that of Documentation/bpf/btf.rst: a header, types of varying length one behind the
// other, strings.
#include "jail/kernel_btf.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <climits>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

namespace jail_ai {
namespace {

constexpr std::uint32_t kStride = 64;  // few are asked for by id: short ways to them will do
constexpr int kMostQualifiers = 32;    // MAX_RESOLVE_DEPTH, kernel/bpf/btf.c

struct Deleter {
    void operator()(btf* types) const { ::btf__free(types); }
};

// In bytes; 0 for a kind that came after these headers.
std::size_t size_of(const btf_type& type) {
    const std::size_t count = BTF_INFO_VLEN(type.info);
    switch (BTF_INFO_KIND(type.info)) {
        case BTF_KIND_PTR:
        case BTF_KIND_FWD:
        case BTF_KIND_TYPEDEF:
        case BTF_KIND_VOLATILE:
        case BTF_KIND_CONST:
        case BTF_KIND_RESTRICT:
        case BTF_KIND_FUNC:
        case BTF_KIND_FLOAT:
        case BTF_KIND_TYPE_TAG: return sizeof type;
        case BTF_KIND_INT: return sizeof type + sizeof(std::uint32_t);
        case BTF_KIND_VAR: return sizeof type + sizeof(struct btf_var);
        case BTF_KIND_DECL_TAG: return sizeof type + sizeof(struct btf_decl_tag);
        case BTF_KIND_ARRAY: return sizeof type + sizeof(struct btf_array);
        case BTF_KIND_STRUCT:
        case BTF_KIND_UNION: return sizeof type + count * sizeof(btf_member);
        case BTF_KIND_ENUM: return sizeof type + count * sizeof(struct btf_enum);
        case BTF_KIND_ENUM64: return sizeof type + count * sizeof(struct btf_enum64);
        case BTF_KIND_FUNC_PROTO: return sizeof type + count * sizeof(btf_param);
        case BTF_KIND_DATASEC: return sizeof type + count * sizeof(btf_var_secinfo);
        default: return 0;
    }
}

std::string without_flavor(const std::string& name) {
    return name.substr(0, name.find("___"));
}

// A few names that are looked for among some hundred thousand, most of which begin otherwise.
class Names {
public:
    struct Entry {
        std::string name;
        std::uint32_t id;
    };

    // The first of several with one name stays.
    void add(std::string name, std::uint32_t id) {
        if (name.empty() || find(name.c_str()) != nullptr) return;
        first_.set(static_cast<unsigned char>(name.front()));
        entries_.push_back({std::move(name), id});
    }
    // nullptr for others.
    const Entry* find(const char* name) const {
        if (!first_.test(static_cast<unsigned char>(*name))) return nullptr;
        const auto found = std::ranges::find(entries_, name, &Entry::name);
        return found != entries_.end() ? &*found : nullptr;
    }

private:
    std::bitset<UCHAR_MAX + 1> first_;
    std::vector<Entry> entries_;
};

class Index {
public:
    // Calls take(id, type, index) for each type on the way; the index has its strings by then.
    // Error: a form that this can't read.
    template <typename Take>
    static Result<Index> parse(std::string_view text, Take take) {
        btf_header header{};
        if (text.size() < sizeof header) return unreadable();
        std::memcpy(&header, text.data(), sizeof header);
        const std::size_t types = std::size_t{header.hdr_len} + header.type_off;
        const std::size_t strings = std::size_t{header.hdr_len} + header.str_off;
        if (header.magic != BTF_MAGIC || types + header.type_len > text.size() ||
            strings + header.str_len > text.size() || types % alignof(btf_type) != 0)
            return unreadable();
        Index index(text.substr(strings, header.str_len));
        if (index.strings_.empty() || index.strings_.back() != '\0') return unreadable();
        const char* next = text.data() + types;
        std::size_t left = header.type_len;
        while (left >= sizeof(btf_type)) {
            const auto* type = reinterpret_cast<const btf_type*>(next);
            const std::size_t size = size_of(*type);
            if (size == 0 || size > left) return unreadable();
            if (index.count_ % kStride == 0) index.every_.push_back(type);
            take(++index.count_, *type, index);
            next += size;
            left -= size;
        }
        if (left != 0) return unreadable();
        return index;
    }

    const btf_type* at(std::uint32_t id) const {
        if (id == 0 || id > count_) return nullptr;  // 0: void
        const btf_type* type = every_[(id - 1) / kStride];
        for (std::uint32_t left = (id - 1) % kStride; left > 0; --left) type = behind(type);
        return type;
    }
    const char* string(std::uint32_t offset) const {
        return offset < strings_.size() ? strings_.data() + offset : "";
    }

    // Without typedefs and qualifiers; nullptr for void, and for those that lead in a circle.
    const btf_type* bare(std::uint32_t id) const {
        const btf_type* type = at(id);
        for (int i = 0; i < kMostQualifiers; ++i) {
            if (type == nullptr || !(::btf_is_mod(type) || ::btf_is_typedef(type))) return type;
            type = at(type->type);
        }
        return nullptr;
    }

private:
    explicit Index(std::string_view strings) : strings_(strings) {}
    static Error unreadable() {
        return Error{EX_UNAVAILABLE, "the kernel's BTF is in a form that is not known here"};
    }
    static const btf_type* behind(const btf_type* type) {
        return reinterpret_cast<const btf_type*>(reinterpret_cast<const char*>(type) +
                                                 size_of(*type));
    }

    std::string_view strings_;
    std::uint32_t count_ = 0;             // their ids begin with 1
    std::vector<const btf_type*> every_;  // each kStride-th of them
};

struct Member {
    std::uint32_t type;
    std::uint32_t bits;  // from the start of the structure
};

// Also inside of nameless structures and unions, each of them once.
std::optional<Member> find_member(const Index& kernel, const btf_type& structure,
                                  std::string_view name, std::set<const btf_type*>& searched) {
    if (!searched.insert(&structure).second) return std::nullopt;
    const btf_member* members = ::btf_members(&structure);
    for (std::uint32_t i = 0; i < ::btf_vlen(&structure); ++i) {
        const std::uint32_t bits = ::btf_member_bit_offset(&structure, i);
        const std::string_view here = kernel.string(members[i].name_off);
        if (here == name) return Member{members[i].type, bits};
        const btf_type* inner = here.empty() ? kernel.bare(members[i].type) : nullptr;
        if (inner == nullptr || !::btf_is_composite(inner)) continue;
        if (const auto found = find_member(kernel, *inner, name, searched))
            return Member{found->type, bits + found->bits};
    }
    return std::nullopt;
}

// Writes the members that a local structure names as the kernel has them.
class Extract {
public:
    Extract(const Index& kernel, const btf& local)
        : kernel_(kernel), local_(local), out_(::btf__new_empty()) {}

    // The new id of a type that is `local` here and `kernel` there, 0 if they are of different
    // kinds.
    int add(std::uint32_t local, std::uint32_t kernel) {
        const btf_type* wanted = bare_local(local);
        const btf_type* type = kernel_.bare(kernel);
        if (wanted == nullptr || type == nullptr || ::btf_kind(wanted) != ::btf_kind(type))
            return 0;
        switch (::btf_kind(type)) {
            case BTF_KIND_INT:
                return ::btf__add_int(out_.get(), kernel_.string(type->name_off), type->size,
                                      ::btf_int_encoding(type));
            case BTF_KIND_PTR: return ::btf__add_ptr(out_.get(), 0);
            case BTF_KIND_ARRAY: return add_array(*::btf_array(wanted), *::btf_array(type));
            case BTF_KIND_STRUCT:
            case BTF_KIND_UNION: return add_composite(*wanted, *type);
            default: return 0;
        }
    }

    std::vector<char> bytes() const {
        std::uint32_t size = 0;
        const auto* data = static_cast<const char*>(::btf__raw_data(out_.get(), &size));
        return data != nullptr ? std::vector<char>(data, data + size) : std::vector<char>();
    }

private:
    const btf_type* bare_local(std::uint32_t id) const {
        const btf_type* type = ::btf__type_by_id(&local_, id);
        while (type != nullptr && (::btf_is_mod(type) || ::btf_is_typedef(type)))
            type = ::btf__type_by_id(&local_, type->type);
        return type;
    }
    int add_array(const struct btf_array& local, const struct btf_array& kernel) {
        const int index = add(local.index_type, kernel.index_type);
        const int element = add(local.type, kernel.type);
        return index > 0 && element > 0
                   ? ::btf__add_array(out_.get(), index, element, kernel.nelems)
                   : 0;
    }
    int add_composite(const btf_type& local, const btf_type& kernel) {
        struct Field {
            const char* name;
            int type;
            std::uint32_t bits;
        };
        // Before the structure: libbpf adds fields to the type that was added last.
        std::vector<Field> fields;
        const btf_member* members = ::btf_members(&local);
        for (std::uint32_t i = 0; i < ::btf_vlen(&local); ++i) {
            const char* name = ::btf__name_by_offset(&local_, members[i].name_off);
            std::set<const btf_type*> searched;
            const auto member = find_member(kernel_, kernel, name, searched);
            const int type = member ? add(members[i].type, member->type) : 0;
            if (type > 0) fields.push_back({name, type, member->bits});
        }
        const auto add_empty = ::btf_is_struct(&kernel) ? ::btf__add_struct : ::btf__add_union;
        const int id = add_empty(out_.get(), kernel_.string(kernel.name_off), kernel.size);
        for (const Field& field : fields)
            if (::btf__add_field(out_.get(), field.name, field.type, field.bits, 0) != 0) return 0;
        return id;
    }

    const Index& kernel_;
    const btf& local_;
    std::unique_ptr<btf, Deleter> out_;
};

}  // namespace

Result<KernelTypes> find_kernel_types(std::string_view kernel_btf, const btf& local,
                                      const std::set<std::string, std::less<>>& functions) {
    Names structures, wanted_functions;
    for (std::uint32_t id = 1; id < ::btf__type_cnt(&local); ++id)
        if (const btf_type* type = ::btf__type_by_id(&local, id); ::btf_is_struct(type))
            structures.add(without_flavor(::btf__name_by_offset(&local, type->name_off)), id);
    for (const std::string& name : functions) wanted_functions.add(name, 0);
    KernelTypes found;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> same;  // ids of local and kernel
    const auto kernel = TRY(
        Index::parse(kernel_btf, [&](std::uint32_t id, const btf_type& type, const Index& index) {
            if (::btf_is_func(&type)) {
                if (const auto* wanted = wanted_functions.find(index.string(type.name_off)))
                    found.functions.emplace(wanted->name, id);
            } else if (::btf_is_struct(&type)) {
                const auto* wanted = structures.find(index.string(type.name_off));
                if (wanted == nullptr) return;
                same.emplace_back(wanted->id, id);
                found.structure_ids.emplace(wanted->name, id);
            }
        }));
    Extract extract(kernel, local);
    for (const auto& [wanted, id] : same) extract.add(wanted, id);
    found.structures = extract.bytes();
    return found;
}

}  // namespace jail_ai
