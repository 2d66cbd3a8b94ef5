/** A unit as a multiple of its dimension's base unit; `offset` for temperatures. */
interface Unit {
  readonly dimension: string;
  readonly factor: number;
  readonly offset?: number;
}

const table = new Map<string, Unit>();

/** Names separated by spaces; plurals in `s` are added for names of three letters and more. */
function define(dimension: string, units: Readonly<Record<string, number | readonly [number, number]>>): void {
  for (const [names, size] of Object.entries(units)) {
    const [factor, offset = 0] = typeof size === 'number' ? [size] : size;
    for (const name of names.split(' ')) {
      table.set(name, { dimension, factor, offset });
      if (name.length > 2 && !name.endsWith('s')) table.set(`${name}s`, { dimension, factor, offset });
    }
  }
}

// Factors are exact by definition (SI brochure; international yard and pound, 1959).
define('length', {
  'm meter metre': 1,
  'km kilometer kilometre': 1000,
  'dm decimeter decimetre': 0.1,
  'cm centimeter centimetre': 0.01,
  'mm millimeter millimetre': 0.001,
  'µm um micrometer micron': 1e-6,
  'nm nanometer nanometre': 1e-9,
  'in inch inches': 0.0254,
  'ft foot feet': 0.3048,
  'yd yard': 0.9144,
  'mi mile': 1609.344,
});
define('mass', {
  'kg kilogram': 1,
  'g gram gm': 0.001,
  'mg milligram': 1e-6,
  'lb lbs pound': 0.45359237,
  'oz ounce': 0.028349523125,
  'ton tonne': 1000,
});
define('time', {
  's sec second': 1,
  'ms millisecond': 0.001,
  'min minute mins': 60,
  'h hr hour hrs': 3600,
  'day d': 86400,
  'week wk': 604800,
  'year yr': 31557600,
  month: 2629800,
});
define('volume', {
  'L l liter litre': 0.001,
  'mL ml milliliter millilitre': 1e-6,
  'gallon gal': 0.003785411784,
  'quart qt': 0.000946352946,
});
define('angle', { 'deg degree °': Math.PI / 180, 'rad radian': 1 });
define('temperature', { 'K kelvin': 1, '°C ℃ celsius degC': [1, 273.15], '°F fahrenheit degF': [5 / 9, 459.67] });
define('money', { '$ dollar usd USD buck': 1, 'cent ¢': 0.01 });
define('money-eur', { '€ euro EUR': 1 });
define('money-gbp', { '£ GBP': 1, 'pence penny': 0.01 });
define('force', { 'N newton': 1, kN: 1000 });
define('energy', {
  'J joule': 1,
  'kJ kilojoule': 1000,
  'cal calorie': 4.184,
  'kcal kilocalorie': 4184,
  eV: 1.602176634e-19,
  kWh: 3.6e6,
});
define('power', { 'W watt': 1, 'kW kilowatt': 1000, 'MW megawatt': 1e6, 'hp horsepower': 745.6998715822702 });
define('pressure', {
  'Pa pascal': 1,
  'kPa kilopascal': 1000,
  MPa: 1e6,
  'atm atmosphere': 101325,
  bar: 1e5,
  'mmHg torr': 133.322387415,
});
define('voltage', { 'V volt': 1, 'mV millivolt': 0.001, kV: 1000 });
define('current', { 'A amp ampere': 1, 'mA milliamp': 0.001 });
define('resistance', { 'Ω ohm \\Omega': 1, kΩ: 1000 });
define('frequency', { 'Hz hertz': 1, kHz: 1000, MHz: 1e6, GHz: 1e9 });
define('amount', { 'mol mole': 1, mmol: 0.001 });
define('charge', { 'C coulomb': 1 });
define('information', { bit: 1, byte: 8, KB: 8000, MB: 8e6, GB: 8e9 });

/** Whether a word is a unit's name, or one that stands where units stand (`units`, `square`, `people` is not). */
export function isUnitWord(word: string): boolean {
  return table.has(word) || table.has(word.toLowerCase()) || filler.test(word);
}

const filler = /^(?:units?|square|sq|cubic|per|mph|kph|points?|degrees?|yuan|rupees?|yen)$/i;

/** A unit expression reduced to SI: value in base units = `factor * x + offset`, of a dimension such as `length^2 time^-1`. */
export interface ReducedUnit {
  readonly dimension: string;
  readonly factor: number;
  readonly offset: number;
}

/** Reads `km/h`, `m^2`, `square feet`, `kg m s^-2`; null where a part is unknown. */
export function reduceUnit(text: string): ReducedUnit | null {
  const spelled = text
    .replace(/\^?\s*\{?\s*\\(?:circ|degree)\s*\}?|\^\s*°/g, 'deg ')
    .replace(/deg\s+([CF])\b/g, 'deg$1')
    .replace(/[{}\\]|\.$/g, '')
    .replace(/²/g, '^2')
    .replace(/³/g, '^3')
    .replace(/\b(?:square|sq\.?)\s+(\S+)/gi, '$1^2')
    .replace(/\bcubic\s+(\S+)/gi, '$1^3')
    .replace(/(\S+)\s+squared\b/gi, '$1^2')
    .replace(/(\S+)\s+cubed\b/gi, '$1^3')
    .replace(/\bmph\b/g, 'mi/h')
    .replace(/\b(?:kph|kmph)\b/g, 'km/h')
    .replace(/\s*\bper\b\s*/g, '/')
    .trim();
  const powers = new Map<string, number>();
  let factor = 1;
  let offset = 0;
  let sign = 1;
  for (const part of spelled.split(/(\/)|[\s*·]+/)) {
    if ((part as string | undefined) === undefined || part === '') continue;
    if (part === '/') {
      sign = -1;
      continue;
    }
    const match = /^(.+?)(?:\^\(?([+-]?\d)\)?)?$/.exec(part);
    const name = match?.[1] ?? '';
    const unit = table.get(name) ?? table.get(name.toLowerCase());
    if (unit === undefined) return null;
    const power = sign * Number(match?.[2] ?? 1);
    factor *= unit.factor ** power;
    offset = unit.offset ?? 0;
    powers.set(unit.dimension, (powers.get(unit.dimension) ?? 0) + power);
  }
  // A litre is a volume: length cubed.
  const volume = powers.get('volume');
  if (volume !== undefined) {
    powers.delete('volume');
    powers.set('length', (powers.get('length') ?? 0) + 3 * volume);
  }
  const dimension = [...powers]
    .filter(([, power]) => power !== 0)
    .map(([name, power]) => `${name}^${power}`)
    .sort()
    .join(' ');
  return dimension === '' ? null : { dimension, factor, offset: powers.size === 1 ? offset : 0 };
}
