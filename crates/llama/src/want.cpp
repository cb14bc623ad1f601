// An exception that passes llama.cpp's C interface ends the process without a word of what it was. So `new` says
// that it found no memory before it throws, as it would without us.

#include <cstdio>
#include <new>

extern "C" void moe_sweep_tell_of_want() {
    std::set_new_handler([] {
        std::fputs("C++ found no memory: std::bad_alloc\n", stderr);
        throw std::bad_alloc();
    });
}
