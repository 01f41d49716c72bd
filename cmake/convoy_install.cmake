# cmake --install: the program, and the libraries as a package for programs with models of their own:
#   find_package(convoy CONFIG REQUIRED)
#   target_link_libraries(my_program PRIVATE convoy::launcher)
include(CMakePackageConfigHelpers)
set(convoy_package ${CMAKE_INSTALL_LIBDIR}/cmake/convoy)

install(TARGETS convoy RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS convoy_floating_point convoy_proto convoy_proto_grpc convoy_common convoy_ps convoy_worker
        convoy_launcher
  EXPORT convoy ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT convoy NAMESPACE convoy:: FILE convoyTargets.cmake DESTINATION ${convoy_package})

install(DIRECTORY common ps worker launcher DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/convoy
  FILES_MATCHING PATTERN "*.h")
install(DIRECTORY ${PROJECT_BINARY_DIR}/generated/proto DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/convoy
  FILES_MATCHING PATTERN "*.pb.h")
install(DIRECTORY proto DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/convoy FILES_MATCHING PATTERN "*.proto")

configure_package_config_file(cmake/convoyConfig.cmake.in ${PROJECT_BINARY_DIR}/convoyConfig.cmake
  INSTALL_DESTINATION ${convoy_package} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/convoyConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/convoyConfig.cmake ${PROJECT_BINARY_DIR}/convoyConfigVersion.cmake
  cmake/convoy_dependencies.cmake DESTINATION ${convoy_package})
