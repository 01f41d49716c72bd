# cmake -DINPUT=file -DOUTPUT=file.cc -DNAME=Function -DHEADER=header.h -P embed_file.cmake
# Writes a source file in which std::string_view convoy::Function() is the contents of INPUT.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "((0x..,){20})" "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "#include \"${HEADER}\"

namespace {
constexpr unsigned char kBytes[] = {
${bytes}
};
}  // namespace

std::string_view convoy::${NAME}() {
  return {reinterpret_cast<const char*>(kBytes), sizeof(kBytes)};
}
")
