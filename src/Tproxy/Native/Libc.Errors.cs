namespace Postern.Tproxy.Native;

/// <summary>Numbers of errno, the same on every architecture that Postern is built for.</summary>
internal static partial class Libc
{
    internal const int ErrorPermission = 1;
    internal const int ErrorInterrupted = 4;
    internal const int ErrorAgain = 11;
    internal const int ErrorNoMemory = 12;
    internal const int ErrorAccess = 13;
    internal const int ErrorInvalid = 22;
    internal const int ErrorMessageSize = 90;
    internal const int ErrorAddressNotAvailable = 99;
    internal const int ErrorNetworkDown = 100;
    internal const int ErrorNetworkUnreachable = 101;
    internal const int ErrorNoBuffers = 105;
    internal const int ErrorConnectionRefused = 111;
    internal const int ErrorHostUnreachable = 113;
}
