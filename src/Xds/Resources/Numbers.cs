using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>Counts and sizes that become an <c>int</c>.</summary>
internal static class Numbers
{
    /// <summary>0 or absent is no bound; what is too large to be reached is none either.</summary>
    public static int Count(uint? value, ConfigPath path) =>
        value is null or <= int.MaxValue ? (int)(value ?? 0) : throw path.Error($"{value} is more than {int.MaxValue}; 0 is no bound");

    /// <summary>The value, null when absent.</summary>
    public static int? InRange(uint? value, uint least, uint most, ConfigPath path) =>
        value is null ? null : value >= least && value <= most ? (int)value : throw path.Error($"{value} is not within {least} to {most}");
}
