#include "launcher/commands/role_environment.h"

#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace convoy {

void ForgetRoleEnvironment() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (text.starts_with("CONVOY_")) names.push_back(text.substr(0, text.find('=')));
  }
  for (const std::string& name : names) unsetenv(name.c_str());
}

}  // namespace convoy
