# convoy_add_library(name SOURCES ... PUBLIC_DEPS ... PRIVATE_DEPS ...)
# Declares convoy_<name> with the alias convoy::<name>. Wings (sub-folders) add their sources with
# target_sources(convoy_<name> PRIVATE ...).
function(convoy_add_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC_DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(convoy_${name} STATIC ${ARG_SOURCES})
  add_library(convoy::${name} ALIAS convoy_${name})
  set_target_properties(convoy_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_include_directories(convoy_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/convoy>)
  target_compile_features(convoy_${name} PUBLIC cxx_std_20)
  target_link_libraries(convoy_${name}
    PUBLIC ${ARG_PUBLIC_DEPS}
    PRIVATE ${ARG_PRIVATE_DEPS} $<BUILD_INTERFACE:convoy_warnings>)
endfunction()
