// The seeds of Rust's hash maps come from here instead of from the kernel.
#include <stddef.h>
#include <string.h>
#include <sys/types.h>

ssize_t getrandom(void *bytes, size_t count, unsigned int flags) {
    (void)flags;
    memset(bytes, 0x5a, count);
    return (ssize_t)count;
}
