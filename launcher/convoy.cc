// The `convoy` program.
#include "launcher/main.h"

int main(int argc, char** argv) { return convoy::Main(argc, argv); }
