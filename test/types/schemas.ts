import { type } from 'arktype';
import * as t from 'io-ts';
import type { Observable } from 'rxjs';
import * as v from 'valibot';
import { z } from 'zod';
import { type Bar, barCodec } from '../../src/market/index.js';
import { decode } from '../../src/operators/index.js';
import { replayFile } from '../../src/sources/index.js';
import { expectType } from './equal.js';

declare const input$: Observable<unknown>;
const divertTo = () => {};

expectType<Observable<{ p: number }>>()(input$.pipe(decode(t.type({ p: t.number }), { divertTo })));
expectType<Observable<{ p: number }>>()(input$.pipe(decode(z.object({ p: z.number() }), { divertTo })));
expectType<Observable<{ p: number }>>()(input$.pipe(decode(v.object({ p: v.number() }), { divertTo })));
expectType<Observable<{ p: number }>>()(input$.pipe(decode(type({ p: 'number' }), { divertTo })));
// What comes out, rather than what goes in.
expectType<Observable<number>>()(input$.pipe(decode(z.string().transform(Number), { divertTo })));
expectType<Observable<number>>()(input$.pipe(decode(v.pipe(v.string(), v.transform(Number)), { divertTo })));
expectType<Observable<Bar>>()(input$.pipe(decode(barCodec, { divertTo })));
expectType<Observable<{ p: number }>>()(replayFile('a.ndjson', { codec: z.object({ p: z.number() }) }));
expectType<Observable<{ p: number }>>()(replayFile('a.ndjson', { codec: type({ p: 'number' }) }));
// Other libraries take our codecs.
expectType<Bar>()(z.custom<Bar>().parse(barCodec['~standard'].validate({})));

// @ts-expect-error: neither a decoder nor a schema
decode({ parse: Number }, { divertTo });
