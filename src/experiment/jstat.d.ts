/** The part of jStat that is used here. It has no types. */
declare module 'jstat' {
  const jstat: {
    readonly studentt: {
      cdf(t: number, degreesOfFreedom: number): number;
      inv(probability: number, degreesOfFreedom: number): number;
    };
  };
  export default jstat;
}
