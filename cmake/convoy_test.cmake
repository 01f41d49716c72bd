# convoy_add_test(name LABELS unit|concurrency|integration|process|install|slow SOURCES ... DEPS ...
#                 [TIMEOUT seconds] [COMPUTES])
# One GoogleTest program = one ctest test. Every test has a timeout; process tests run alone.
# Only tests that compute for long themselves (COMPUTES) are compiled like the product that they link:
# optimizing the others takes longer than it saves, with sanitizers twice.
include(GoogleTest)
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
    target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1 -g0>)
    if(CONVOY_SANITIZE)
      target_compile_options(${name} PRIVATE -O0)
    endif()
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
    SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\] ALL")
  if("process" IN_LIST ARG_LABELS)
    set_tests_properties(${name} PROPERTIES RESOURCE_LOCK processes)
  endif()
endfunction()
