// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Reads a file of tests/data.
#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

inline std::string data_file(const std::string& name) {
    std::ifstream file(std::string(TEST_DATA) + "/" + name, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    REQUIRE_MESSAGE(!text.empty(), name << " is missing or empty");
    return text;
}
