#pragma once

/* Memory of the test daemon that a test can make run out; see fake-memory.c. */

void fake_memory_init(void);
