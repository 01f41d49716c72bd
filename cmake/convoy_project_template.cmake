# convoy_project_template(folder output)
# Writes `output`, the C++ source of ProjectTemplate() (launcher/commands/project_template.h), from the
# files of `folder`.
function(convoy_project_template folder output)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*)
  set(entries "")
  foreach(file ${files})
    if(IS_DIRECTORY ${file})
      continue()
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    get_filename_component(name ${file} NAME)
    file(READ ${file} text)
    string(APPEND entries "    {\"${name}\", R\"convoy_(${text})convoy_\"},\n")
  endforeach()
  file(WRITE ${output}.new "// Made by cmake/convoy_project_template.cmake.
#include \"launcher/commands/project_template.h\"

namespace convoy {
namespace {

constexpr TemplateFile kFiles[] = {
${entries}};

}  // namespace

std::span<const TemplateFile> ProjectTemplate() { return kFiles; }

}  // namespace convoy
")
  file(COPY_FILE ${output}.new ${output} ONLY_IF_DIFFERENT)
endfunction()
