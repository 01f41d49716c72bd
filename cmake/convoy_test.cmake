# convoy_add_test(name LABELS unit|concurrency|integration|process|install|slow SOURCES ... DEPS ...
#                 [TIMEOUT seconds] [COMPUTES])
# One GoogleTest program = one ctest test. Every test has a timeout; process tests run alone.
# Only tests that compute for long themselves (COMPUTES) are compiled like the product that they link:
# optimizing the others takes longer than it saves, with sanitizers twice.
include(GoogleTest)

# What most tests include, compiled once: a third of the time that a test takes to compile.
function(convoy_add_test_headers)
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/test_headers.cc "")
  add_library(convoy_test_headers OBJECT ${CMAKE_CURRENT_BINARY_DIR}/test_headers.cc)
  target_link_libraries(convoy_test_headers PRIVATE GTest::gmock GTest::gtest_main convoy_warnings)
  target_compile_features(convoy_test_headers PUBLIC cxx_std_20)
  target_precompile_headers(convoy_test_headers PRIVATE
    <gmock/gmock.h> <gtest/gtest.h> <nlohmann/json.hpp> <algorithm> <filesystem> <fstream> <map> <memory>
    <optional> <random> <sstream> <string> <vector> <absl/status/statusor.h> <absl/strings/str_cat.h>
    <absl/strings/str_join.h> <absl/strings/str_split.h> <absl/time/time.h>)
  convoy_test_options(convoy_test_headers)
endfunction()

# All alike, as they use the same compiled headers: some of the libraries ask for threads.
function(convoy_test_options name)
  target_compile_options(${name} PRIVATE -pthread)
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1 -g0>)
  if(CONVOY_SANITIZE)
    target_compile_options(${name} PRIVATE -O0)
  endif()
endfunction()

function(convoy_add_test name)
  cmake_parse_arguments(ARG "COMPUTES" "TIMEOUT" "LABELS;SOURCES;DEPS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  if(CONVOY_SANITIZE)  # each test takes up to ten times as long
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 5")
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main convoy_warnings)
  if(NOT ARG_COMPUTES)
    convoy_test_options(${name})
    target_precompile_headers(${name} REUSE_FROM convoy_test_headers)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
    SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\] ALL")
  if("process" IN_LIST ARG_LABELS)
    set_tests_properties(${name} PROPERTIES RESOURCE_LOCK processes)
  endif()
endfunction()
