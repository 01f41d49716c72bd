# convoy_embed_text(output header NAME file [NAME file]...)
# Writes `output`, a C++ source in which each std::string_view convoy::NAME(), declared in `header`, is the
# text of `file`. Done when CMake configures, which a changed file makes it do again.
function(convoy_embed_text output header)
  set(functions "")
  set(arguments ${ARGN})
  while(arguments)
    list(POP_FRONT arguments name file)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} text)
    string(APPEND functions "std::string_view ${name}() {\n  return R\"convoy_(${text})convoy_\";\n}\n\n")
  endwhile()
  file(WRITE ${output}.new "// Made by cmake/convoy_embed_text.cmake.
#include \"${header}\"

namespace convoy {

${functions}}  // namespace convoy
")
  file(COPY_FILE ${output}.new ${output} ONLY_IF_DIFFERENT)
endfunction()
