// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "protocol_reporter.h"

#include <doctest/doctest.h>

#include <ostream>
#include <sstream>
#include <utility>
#include <vector>

namespace jail_ai::test {
namespace {

ResultCounts counts;
std::string skip_reason;

std::string one_line(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    return text;
}

class ProtocolReporter : public doctest::IReporter {
public:
    explicit ProtocolReporter(const doctest::ContextOptions& options) : out_(*options.cout) {}

    void report_query(const doctest::QueryData& query) override {
        for (unsigned i = 0; i < query.num_data; i++) out_ << query.data[i]->m_name << '\n';
    }
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats&) override {
        out_ << "# " << counts.passed << " passed, " << counts.failed << " failed, "
             << counts.skipped << " skipped" << std::endl;
    }
    void test_case_start(const doctest::TestCaseData& data) override {
        name_ = data.m_name;
        start();
    }
    void test_case_reenter(const doctest::TestCaseData&) override {
        finish();
        start();
    }
    void test_case_end(const doctest::CurrentTestCaseStats&) override { finish(); }
    void test_case_exception(const doctest::TestCaseException& exception) override {
        fail(exception.error_string.c_str());
    }
    void test_case_skipped(const doctest::TestCaseData&) override {}
    void subcase_start(const doctest::SubcaseSignature& subcase) override {
        subcases_.emplace_back(subcase.m_name.c_str());
    }
    void subcase_end() override {}

    void log_assert(const doctest::AssertData& data) override {
        asserted_++;
        if (!data.m_failed) return;
        std::ostringstream why;
        why << place(data.m_file, data.m_line) << data.m_expr;
        if (data.m_threw)
            why << ": " << data.m_exception.c_str();
        else
            why << ": " << data.m_decomp.c_str();
        fail(why.str());
    }
    void log_message(const doctest::MessageData& message) override {
        if ((message.m_severity & doctest::assertType::is_warn) != 0) return;
        asserted_++;
        fail(place(message.m_file, message.m_line) + message.m_string.c_str());
    }

private:
    static std::string place(const char* file, int line) {
        const std::string path = file;
        return path.substr(path.find_last_of('/') + 1) + ":" + std::to_string(line) + ": ";
    }
    void start() {
        subcases_.clear();
        reasons_.clear();
        asserted_ = 0;
        skip_reason.clear();
    }
    void fail(std::string why) {
        std::ostringstream context;
        for (int i = 0; i < get_num_active_contexts(); i++) {
            context << " [";
            get_active_contexts()[i]->stringify(&context);
            context << ']';
        }
        reasons_.push_back(one_line(std::move(why) + context.str()));
    }
    void finish() {
        std::string name = name_;
        for (const auto& subcase : subcases_) name += " / " + subcase;
        if (asserted_ == 0 && reasons_.empty() && skip_reason.empty()) fail("it asserted nothing");
        if (!reasons_.empty()) {
            counts.failed++;
            out_ << "not ok - " << name << ": " << reasons_.front() << '\n';
            for (std::size_t i = 1; i < reasons_.size(); i++) out_ << "#   " << reasons_[i] << '\n';
        } else if (!skip_reason.empty()) {
            counts.skipped++;
            out_ << "skip - " << name << ": " << skip_reason << '\n';
        } else {
            counts.passed++;
            out_ << "ok - " << name << '\n';
        }
        out_.flush();
    }

    std::ostream& out_;
    std::string name_;
    std::vector<std::string> subcases_;
    std::vector<std::string> reasons_;
    int asserted_ = 0;
};

DOCTEST_REGISTER_REPORTER("protocol", 1, ProtocolReporter);

}  // namespace

ResultCounts result_counts() {
    return counts;
}

void skip_case(const std::string& why) {
    skip_reason = one_line(why);
}

}  // namespace jail_ai::test
