# Compiler, linker and floating point settings. The floating point flags are part of the product's
# promise of bit-identical results (docs/exactness.md): no contraction, no fast-math.
find_program(CONVOY_CCACHE ccache)
if(CONVOY_CCACHE)
  # Without this ccache keeps nothing that uses precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CONVOY_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CONVOY_CCACHE})
endif()
find_program(CONVOY_MOLD mold)
if(CONVOY_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

set(convoy_floating_point_flags -ffp-contract=off -fno-math-errno)
if(NOT CONVOY_ARCH STREQUAL "portable")
  list(APPEND convoy_floating_point_flags -march=${CONVOY_ARCH})
endif()
add_compile_options(${convoy_floating_point_flags})
# The installed libraries ask the same of the programs that they are linked into: exactness includes
# the user's model, and Eigen's types have the alignment of the instruction set.
add_library(convoy_floating_point INTERFACE)
set_target_properties(convoy_floating_point PROPERTIES EXPORT_NAME floating_point)
target_compile_options(convoy_floating_point INTERFACE
  "$<INSTALL_INTERFACE:$<$<COMPILE_LANGUAGE:C,CXX>:${convoy_floating_point_flags}>>")
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -g1 -DNDEBUG")

set(CONVOY_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")
if(CONVOY_SANITIZE)
  add_compile_options(-fsanitize=${CONVOY_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CONVOY_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)  # Loops that it was asked to vectorize, and does not here.
    add_compile_options(-Wno-pass-failed)
  endif()
endif()
option(CONVOY_COVERAGE "Instrument for gcov" OFF)
if(CONVOY_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

add_library(convoy_warnings INTERFACE)
target_compile_options(convoy_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # False alarms inside absl::InlinedVector's moves.
  target_compile_options(convoy_warnings INTERFACE -Wno-maybe-uninitialized)
  # An Impl may hold types of its file's anonymous namespace. To g++ every file of a unity build is a header.
  if(CMAKE_UNITY_BUILD)
    target_compile_options(convoy_warnings INTERFACE -Wno-subobject-linkage)
  endif()
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(convoy_warnings INTERFACE -Werror=thread-safety)
endif()
