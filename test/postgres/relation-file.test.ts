import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstBlockOf, parseRelationFileName } from '../../src/postgres/relation-file.ts';

describe('parseRelationFileName', () => {
  it('recognises every fork and segment of a relation', () => {
    expect(parseRelationFileName('16384')).toEqual({ relationNumber: 16384, fork: 'main', segment: 0 });
    expect(parseRelationFileName('16384.7')).toEqual({ relationNumber: 16384, fork: 'main', segment: 7 });
    expect(parseRelationFileName('1259_fsm')).toEqual({ relationNumber: 1259, fork: 'fsm', segment: 0 });
    expect(parseRelationFileName('1259_vm.12')).toEqual({ relationNumber: 1259, fork: 'vm', segment: 12 });
    expect(parseRelationFileName('4294967295_init')).toEqual({ relationNumber: 4294967295, fork: 'init', segment: 0 });
  });

  it.for([
    ...['PG_VERSION', 'pg_filenode.map', 'pg_control', 'pg_internal.init', 't3_16384', '16384_main', '16384_fsm_vm'],
    ...['016384', '0', '16384.0', '16384.01', '16384.', '.1', '', '16384 ', '-1', '16384_FSM', '12345678901'],
  ])('takes %j for something else', (fileName) => {
    expect(parseRelationFileName(fileName)).toBeUndefined();
  });

  it('knows the first block of each file', () => {
    const property = fc.property(fc.integer({ min: 1, max: 32_767 }), (segment) => {
      const file = parseRelationFileName(`16384.${segment}`);
      expect(file && firstBlockOf(file) * 8192).toBe(segment * 1024 ** 3);
    });
    fc.assert(property);
  });
});
