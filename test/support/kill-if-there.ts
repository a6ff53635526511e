/** Kills a process with -9, or with a negative number its group; gives whether it was still there. */
export function killIfThere(processId: number): boolean {
  try {
    return process.kill(processId, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
