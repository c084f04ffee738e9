// How this program was called, for a test that asks it which cases it has.
#pragma once

extern const char* test_program;
