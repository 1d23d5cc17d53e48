/** The part of jStat that is used; it brings no types. */
declare module 'jstat' {
  const jstat: {
    readonly studentt: {
      cdf(t: number, degreesOfFreedom: number): number;
      inv(probability: number, degreesOfFreedom: number): number;
    };
  };
  export default jstat;
}
